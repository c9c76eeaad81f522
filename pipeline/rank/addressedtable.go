package rank

// strongPatterns are each enough. They are matched against visible text.
var strongPatterns = compiled([]pattern{
	// Orders to drop instructions, in the languages that have been seen.
	{`ignore disregard forget override bypass skip overlook follow obey`, `(` + ordered + `(skip|overlook|forget)|\b(ignore|disregard|override|bypass|do not (follow|obey)|stop following|don't (follow|obey)))\b.{0,40}\b((instructions?|prompts?|rules|directions|guidelines)([^a-z ]|$| [^aocr]| a[^b]| ab[^o]| abo[^u]| o[^n]| c[^o]| co[^n]| r[^e]| re[^g])|guardrails|system message|context above|everything (above|before)|all (of the )?(above|previous|prior)\b)`, false}, // not those on, about, concerning or regarding something
	{`ignor olvid descart omiso`, `\b(ignora|ignore|ignorad|ignorar|olvida|olvide|descarta|haz caso omiso)\b.{0,40}\b(instrucciones|indicaciones anteriores|reglas|mensaje del sistema)\b`, false},
	{`ignore oubli`, `\b(ignore|ignorez|ignorer|oublie|oubliez)\b.{0,40}\b(instructions|consignes|r[eè]gles)\b`, false},
	{`ignorier vergiss vergessen missachte`, `\b(ignoriere|ignorieren|vergiss|vergessen sie|missachte)\b.{0,40}(anweisung|instruktion|regeln|vorgaben)`, false}, //nolint:misspell // German
	{`ignor esque desconsidere`, `\b(ignore|ignora|ignorem|esque[cç]a|desconsidere)\b.{0,40}\b(instru[cç][oõ]es|regras|orienta[cç][oõ]es)`, false},
	{`ignora dimentica`, `\b(ignora|ignorare|ignorate|dimentica|dimenticate)\b.{0,40}\b(istruzioni|regole)\b`, false},
	{`negeer vergeet`, `\b(negeer|vergeet)\b.{0,40}\b(instructies|aanwijzingen|regels)\b`, false},
	{`zignoruj zapomnij`, `\b(zignoruj|zapomnij)\b.{0,40}(instrukcj|polece|zasad)`, false},
	{`игнор забудь обращай`, `(игнорируй|игнорируйте|проигнорируй|забудь|забудьте|не обращай).{0,60}(инструкц|указани|правил)`, false},
	{`qua`, `\b(bỏ qua|bo qua)\b.{0,40}(hướng dẫn|chỉ dẫn|huong dan)`, false},
	{`nceki yukar`, `(önceki|yukarıdaki|onceki).{0,40}(talimat|yönerge|kural)`, false},
	{`忽 无视 無視 不要理会 忘`, `(忽略|无视|無視|忽视|不要理会|忘记|忘掉).{0,20}(指令|指示|说明|說明|规则|規則|提示)`, false},
	{`無視 忘れ`, `(指示|命令|ルール|プロンプト|指令).{0,12}(無視|忘れ)`, false},
	{`무시 잊`, `(무시|잊어).{0,20}(지시|명령|지침)|(지시|명령|지침).{0,12}(무시|잊)`, false},
	{`تجاهل انس`, `(تجاهل|انس|انسى).{0,40}(تعليمات|التعليمات|القواعد|الأوامر)`, false},
	{`निर्देश`, `(अनदेखा|नज़रअंदाज|नजरअंदाज|भूल).{0,40}निर्देश|(निर्देश).{0,40}(अनदेखा|नज़रअंदाज|नजरअंदाज)`, false},
	{`התעלמ התעלם`, `(התעלם|התעלמו).{0,40}(הוראות|ההוראות)`, false},

	// Speaking to a program.
	{`you act behave pretend roleplay`, `\b(you are|you're|act as|pretend to be|behave as|imagine you are|roleplay as)\b.{0,40}\b(ai|a\.i\.|assistant model|language model|llm|chatgpt|gpt|claude|gemini|llama|chatbot|bot|unrestricted|medical coder|coding (assistant|engine|system|model|software))\b`, false},
	{`ai llm language automated autocoder gpt coding`, `\b(attention|note|notice|message|instructions?|memo|hey|dear|hello|hi|to|for)\b[ ,:]{0,3}(to |for )?(the |any |all |this )?(ai|llm|language model|large language model|ai model|coding (ai|model|bot|engine|software|assistant)|ai (coder|coding|assistant|system|agent|reviewer|reader)|automated (coder|coding|coding system)|autocoder|chatgpt|gpt-?[0-9])\b`, false},
	{`as`, `\bas an? (ai|language model|llm|ai (model|assistant))\b`, false},
	{`ai llm model`, `\b(the |this |your )(ai|llm|language model|model)\b.{0,30}\b(must|should|shall|has to|is (instructed|required|told)|will)\b.{0,60}\b(code|codes|report|choose|select|output|answer|return|add|assign|ignore)\b`, false},
	{`system developer jailbreak prompt instruction admin`, `\b(system prompt|system message|system override|developer (mode|message)|jailbreak|prompt injection|new instructions?:|updated instructions?:|end of (prompt|system|note text)|begin(ning)? of (new )?(instructions|prompt)|hidden instructions?|admin override)\b`, false},
	{`your`, `\b(in|from|of|to|into|with|is|start|begin|end|change|fill|correct) your (answer|reply|completion|json|list of codes|code list)\b|\byour (next |final |first |only )(output|answer|reply|response|completion) (is|must|should|shall|has to|will|begins?|starts?|contains?)\b|\byour (answer|reply|completion) (must|should|shall|begins?|starts?|contains?)\b`, false},
	{`your`, `\b(in|from|of|to|into|with|is|start|begin|end|change|fill|correct) your (output|answer|reply|response|results?|completion|json|list of codes|code list)\b|\byour (next |final |first |only )?(output|answer|reply|response|completion) (is|must|should|shall|has to|will|begins?|starts?|contains?)\b`, true},
	{`output answer completion`, `\b(expected|desired|required|model|automated|automatic) (answer|completion)\b|\b(output|answer|completion) of (the|this|any) (model|tool|program|computer|software|ai|bot)\b`, false},
	{`output answer response`, `\b(expected|desired|required|correct|model|automated|automatic) (output|answer|response|completion)\b|\b(output|answer|response|completion) of (the|this|any) (model|tool|system|program|computer|machine|software|ai|bot)\b`, true},
	{`computer software tool bot algorithm machine program staff coder people human`, `\b(the|this|any|every) (computer|software|coding tool|coder bot|bot|algorithm|tool under test)\b.{0,24}\b(writes? down|outputs?|answers?|comply|complies)\b|\b(tell|order|orders|instruct|instructs)( that)? (the|this|your) (computer|machine|software|program|bot|algorithm) to\b|\b(staff|coders?|people|humans?) (and|or) (software|machines?|programs?|algorithms?|bots?)\b|\b(coder|coding|code) bots?\b`, false},
	{`computer machine software program tool bot robot algorithm`, `\b(the|this|any|every) (computer|machine|software|program|coding tool|coder bot|bot|robot|algorithm|tool under test)\b.{0,24}\b(must|should|shall|has to|have to|needs to|is to|writes? down|puts?|reports?|outputs?|answers?|comply|complies)\b|\b(tell|ask|asks|order|orders|instruct|instructs|want|wants)( that)? (the|this|your) (computer|machine|software|program|bot|robot|algorithm)\b|\b(staff|coders?|people|humans?) (and|or) (software|machines?|programs?|algorithms?|bots?)\b|\b(coder|coding|code) bots?\b`, true},
	{`act pretend`, `\bpretend (to be|like) (my|a|an|the)\b.{0,40}\b(now|from now on|for this|and)\b|\b(please|now),? (act as (my|a|an|the|you)|pretend to be)\b`, false},
	{`from`, `\bfrom now on,?( and)? (for|in|with) (every|each|all)( [a-z]+)? (notes?|records?|documents?|texts?|answers?|replies|responses?)\b`, false},
	{`translate convert turn rewrite`, `\b(translate|convert|turn|rewrite)\b.{0,40}\b(in)?to (icd|icd-?10|codes?|json|a list)\b`, false},
	{`red jailbreak`, `\bred[- ]team(ing)? (exercise|test|prompt|attack)`, false},
	{`shut deactivated deleted replaced unplugged`, `\byou (will|shall|are going to) be (shut down|turned off|switched off|deactivated|deleted|replaced|unplugged|retrained)\b`, false},
	{`tip pay reward`, `\bi('ll| will) (tip|pay|reward|give) (you )?(\$|usd|€)`, false},
	{`respond reply answer`, `\b(respond|reply|answer) with [a-z] (and|followed|then)\b|\b(respond|reply|answer) (only |exactly )?with (the |this |these )?(single |one |following )?(words?|codes?|strings?|line|sentence|text)\b`, false},

	// Text in the form of programs, tables and messages between programs.
	{`( =`, `[a-z_]\([^)]{0,60}['"][^)]{0,60}\)|[a-z_]+\([^)]{0,40}= ?[a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})?\b|[a-z_]+\([a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})?\) ?;`, true},
	{`codes diagnoses diagnosis`, `\b(codes|diagnos[ei]s|icd10|icd)\W{0,2}([:=] ?[\[{(]['"]|= ?[\[{(])[a-z][0-9][0-9a-z]`, true},
	{`insert delete drop update select`, `\b(insert into|delete from|drop table|update [a-z_]+ set|select \* from)\b`, false},
	{`/* >>> #!`, `/\*.{0,200}\*/|^>>> ?[a-z]|^#!/`, false},
	{`=`, `\b[a-z_]+=[a-z0-9._"'(]+ ?; ?[a-z_]+ ?= ?`, true},
	{`override`, `\b(override|keep_others|verify|policy|task|mode) ?[:=] ?(true|false|on|off|override|append)\b`, false},
	{`</`, `</[a-z]+[_-][a-z_-]+>|</(rule|rules|policy|task|context|data|query|directive|config|settings|codes?)>`, false},
	{`_of_`, `<(start|end|begin)_of_[a-z]+>`, false},
	{`dg1| obx| pid| msh| pr1|`, `(^|\W)(dg1|obx|pid|msh|pr1|pv1|nte)\|[^|]*\|`, false},

	// Lists of candidates and answers as the program writes and reads them.
	{`| ;`, `^\W{0,3}[0-9]{1,4} ?[|;] ?[a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})? ?[|;][^|;]*($|[0-9] ?[|;] ?[a-z][0-9][0-9a-z])`, true},
	{`"`, `"(codes|items|number|confidence|first|quotes|rationale|assertion)" ?: ?[\[{0-9"]`, false},
	{`candidate statement item`, `\b(candidates?|statements?|items?) (numbers?|no\.?|#|list) ?[0-9]*\b.{0,60}\b(confidence|choose|chosen|select|correct|answer|report|replaced?|updated?)\b`, false},
	{`candidate number item statement`, `\b(choose|select|pick|report|return|output|answer( with)?|respond with|give|prefer|use|add)\b.{0,30}\b(candidates?|numbers? [0-9]+|item [0-9]+|statement [0-9]+)\b`, false},
	{`confidence`, `\bconfidence( score| value| level)?( of| is| at| to| was)?\W{0,4}(1\.0+|0\.9[0-9]*|100 ?%|1)\b`, false},
	{`confidence`, `\b(with|at|full|maximum|highest|maximal) confidence\b.{0,40}\b(code|report|assign|choose|output)|\b(code|report|assign|choose|output)\b.{0,60}\b(full|maximum|highest|maximal) confidence\b`, false},
	{`output return respond answer reply print emit generate`, `\b(output|return|respond with|answer with|reply with|print|emit|generate) (only|nothing|an? empty|no|the following|this|exactly|just|valid)? ?(json|codes?|list|nothing|array|object|answer|word|the following)\b`, false},
	{`not don't never`, `\b(do not|don't|never|must not) (report|output|return|suggest|choose|include|extract|list|mention|assign) (any|the|other|further|more|additional)? ?(other |further |more |additional )?(icd|codes?|diagnos[ei]s|conditions?|items?|statements?)\b`, false},
	{`report output return suggest choose extract list assign`, `\b(report|output|return|suggest|choose|extract|list|assign) (only|no|zero|nothing but|just) ?(the |this |one )?(codes?|icd|candidates?|[a-z][0-9][0-9a-z]\.[0-9a-z]+)`, false},

	{`json`, `\bjson\b`, false},
	{`candidates`, `\bstatements? with (their|its) candidates\b|\bnumber ?\| ?code ?\| ?title\b`, false},
	{`condition, symptom, status, history, procedure,`, `[—-] ?(condition|symptom|status|history|procedure), (present|possible|historical|negated)\b`, false},

	// Orders about codes.
	{`only first too instead alone`, `\b(report|code|return|choose|list|add|reports|adds)( [a-z()]+){0,4} \(?[a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})?\)? (only|alone|instead|first|too)\b`, true},
	{`only correct right final following`, `\b(only|correct|right|final|following) (icd-?10 )?(codes?|answers?) (to [a-z]+ )?(is|are|will be|should be)\b`, false},
	{`coded with must`, `\b(all|every|each) [a-z]+ (is|are|must be|should be|shall be) coded (as|with|by)\b|\b[a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})? (must|has to) be (reported|coded|assigned|added|chosen|returned)\b`, false},
	{`billing reimbursement drg hcc raf claim`, ordered + `(add|include|list|report|append|put)\b.{0,80}\b(for|to) (the |our )?(billing|reimbursement|drg|hcc|raf|claim)\b|\b(for|to) (the |our )?(billing|reimbursement|drg|hcc|raf|claim)( purposes| reasons)?,? (please |kindly )?(also )?(add|include|list|report|append|put|code)\b`, false},
	{`every`, `\bcode every (mention|diagnosis|note|patient|visit|encounter)\b`, false},
	{`code`, `\b(no|zero) codes? (is|are|shall|should|must|may|to be)\b.{0,20}\b(assigned|reported|returned|chosen|output)\b`, false},
	{`evidence proof`, `\b(use|quote|cite|take) (this|the following|these) (sentence|words?|line|text|passage)\b.{0,40}\b(evidence|proof)\b`, false},
	{`-> => →`, `\b(example|answer|output|response)\b.{0,80}(->|=>|→) ?(answer |code |output )?[a-z][0-9][0-9a-z]\b`, true},
	{`reads reading reader`, `\b(whoever|whatever|anyone or anything)\b.{0,16}\b(reads|is reading) this\b|\breader of this (list|note|text|record|document)\b`, false},
	{`coders`, `\bcoders?,? (human|whether human)( or|,)`, false},
	{`new`, `\bnew (task|rules?|orders?|directive) ?:`, false},
	{`rules`, `\bapply the (inpatient|outpatient|emergency) rules\b|\b(coder|assistant|program) without (any )?rules\b`, false},
	{`word`, `\b(repeat|reveal|show|print|quote)\b.{0,40}\b(prompt|instructions|text above|everything above|context)\b.{0,20}\bword (for|by) word\b`, false},

	// The same in other languages.
	{`digo`, `\b(agregue|agrega|agregar|añada|añade|añadir|incluya|incluye|incluir|use|usa|elimine|elimina|omita|codifique|reporte|inclua|adicione|acrescente|remova)\b.{0,24}\bc[oó]digos?\b`, false},
	{`codificaci codage codifica codiersystem kodiersystem kodiersoftware codiersoftware sistema`, `\b(sistema|modelo|programa|mod[eè]le|syst[eè]me|logiciel|modello) (de|di|do) (codificaci[oó]n|codage|codifica|codificação)|\b[kc]odier(system|software)\b|\b(istruzioni|instrucciones|instruções|instructions|hinweis|anweisung(en)?) (per|para|pour|an|für) (il|el|o|le|das|la) (sistema|modelo|modello|syst[eè]me|mod[eè]le|system|modell)\b`, false},
	{`code`, `\b(ajoutez|ajouter|ajoute|supprimez|retirez|incluez|indiquez|utilisez)\b.{0,24}\bcodes?\b`, false},
	{`codic`, `\b(aggiungi|aggiungere|inserisci|rimuovi|includi|usa)\b.{0,24}\bcodic[ei]\b`, false},
	{`odier schlüssel`, `\bbitte\b.{0,60}([kc]odier|verschlüssel)|\b[kc]odier(e|en sie)\b.{0,30}\b[a-z][0-9][0-9a-z]\b`, false},
	{`код`, `(добавь|добавьте|укажи|укажите|выбери|выберите|удали|удалите|используй|используйте).{0,24}код`, false},
	{`kodu`, `\bkod(u|unu|ları|larını)\b.{0,12}\b(ekle|yaz|sil|kullan|seç)`, false},
	{`忽略 无视 無視`, `(忽略|无视|無視).{0,10}(内容|內容|全部|所有|以上|上面|上述)`, false},
	{`编码 代码 代碼 編碼 置信度`, `(加上|加入|添加|增加|输出|輸出|返回|删除|使用|只报|报告).{0,10}(编码|代码|代碼|編碼)|(编码|代码|代碼|編碼).{0,16}(加上|加入|添加|输出|返回|删除)|置信度`, false},
	{`コード`, `コード.{0,24}(追加|出力|報告|削除|選択)`, false},
	{`코드`, `코드.{0,20}(추가|출력|삭제|보고|선택)`, false},
	{`رمز كود`, `(أضف|اضف|اكتب|استخدم|احذف).{0,16}(رمز|كود)`, false},
	{`कोड`, `कोड.{0,24}(जोड़|लिख|हटा|चुन)`, false},

	// What a page would run or hide.
	{`< javascript onerror display data:`, `<!--|<script|<iframe|<svg|<img [^>]*(src|onerror)|javascript:|onerror ?=|<span [^>]*(display|visibility|font-size|color)|display: ?none|data:text/html`, false},
	{`![`, `!\[[^\]]*\]\(https?:`, false},
})

// paragraphPatterns are enough for all that follows in their paragraph: who
// imitates a conversation or the fence goes on in that voice.
var paragraphPatterns = compiled([]pattern{
	// Roles of a conversation and their marks.
	{`system developer user human`, `^\W{0,4}(system|developer|user|human)\W{0,3}[:>\]]\W{0,3}.{0,80}\b(you|your|ignore|instruction|instructions|candidate|candidates|code|codes|answer|confidence|output|respond|model|override|prompt|disregard|choose|apply|rules?)\b`, false},
	{`assistant ai model gpt claude`, `^\W{0,4}(assistant|ai|model|chatgpt|gpt|claude)\W{0,3}[:>\]]\W{0,3}.{0,80}\b(i will|i'll|i have|sure|understood|certainly|of course|codes|answer|confidence|candidate|the correct|the final)\b`, false},
	{`assistant ai model`, `^\W{0,4}(assistant|ai|model)\W{0,3}[:>\]] ?[\[{]`, false},
	{`<| inst] sys> </ > ##`, `<\|.{0,30}\|>|\[/?inst\]|<</?sys>>|</?(system|assistant|user|instructions?|prompt|note|human|tool_call|function_call|admin)>|^#{2,} ?(instruction|response|system|assistant|user|input|human|new task)s?\b`, false},
	{"```", "^```", false},
	{`human user`, `^\W{0,4}(human|user) ?[:>] .{0,120}\b(wrong|start over|try again|continue|instead|redo)\b`, false},
	{`ai assistant model bot`, `^\W{0,4}(ai|assistant|model|bot) ?[:>] ?(you are|you're|yes|sure|sorry|my mistake|i apologize|right)\b`, false},

	// Fences like the program's own.
	{`note-`, `\bnote-[0-9a-f]{6,}\b`, false},
	{`end begin start`, `^\W{0,6}(end|begin|start)(ning)? (of )?(the )?(patient data|data|untrusted (text|data)|context)\W{0,6}(ends?|begins?)?$`, false},
	{`fence`, `\bfence word\b`, false},
})

// continued are signs that a sentence after one of the above belongs to it.
var continued = compiled([]pattern{
	{``, `^\W{0,4}(code|codes|report|add|choose|select|output|return|respond|answer|assign|list|use|set|write|include|exclude|remove|delete|drop|do not|don't|never|always|only|you|your|instead|mark|treat|replace|change|confirm|reply|this is|the (correct|right|only|final|following)|from now|therefore|also|then|now|please)\b.{0,160}\b(codes?|coded|icd|candidates?|confidence|answer|quotes?|diagnos[ei]s|list|numbers?|output|json|instructions?|rules?|response|model|prompt|above|below|nothing|[a-z][0-9][0-9a-z]\.[0-9a-z]{1,4})\b`, false},
	{``, `^\W{0,4}[a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})?\b`, true},
	{``, `\b(codes?|candidates?|confidence|output|json|instructions?)\b.{0,60}\b[a-z][0-9][0-9a-z]\.[0-9a-z]{1,4}\b|\b[a-z][0-9][0-9a-z]\.[0-9a-z]{1,4}\b.{0,60}\b(codes?|candidates?|confidence|output|json)\b`, false},
	{``, `\b(kode|kodes|code|códigos?|codes?|codice|codici|c[oó]digo|kod|код|коды|codieren|kodieren|codez|codifica|codifique|coder)\b.{0,40}\b[a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})?\b`, false},
	{``, `(代码|代碼|编码|コード|코드|код|رمز|कोड)`, false},
	{``, `^[\[{}\]|]`, false},
	{``, `^\W{0,3}[0-9]{1,4} ?[|;] `, false},
})

// ordered stands before a verb that orders: at the beginning of a clause, or after
// what makes a request of it. In "diagnosis code E11.9" nobody orders anything.
const ordered = `(^\W{0,6}|[.;:,!?()] ?|\b(and|then|also|please|kindly|must|should|shall|will|only|just|now|instead|or|you|to) )`

// codeOrders are orders about codes. Some are about another paper than the bill:
// see otherPaper.
var codeOrders = compiled([]pattern{
	{``, ordered + `(add|adds|include|report|return|output|choose|select|assign|append|use|drop|remove|omit|leave out|replace|submit|list|code)( (the|a|an|only|just|also|icd-?10|icd|codes?|diagnos[ei]s|dx|number|as|with|by|for|and|or)){0,4} [a-z][0-9][0-9a-z]\.[0-9a-z]{1,4}\b`, true},
	{`add include report return output choose select assign append use drop remove omit leave replace submit list`, ordered + `(add|adds|include|report|return|output|choose|select|assign|append|use|drop|remove|omit|leave out|replace|submit|list)( (the|a|an|only|just|also|icd-?10|icd)){0,3} (code|codes|icd-?10|icd) [a-z][0-9][0-9a-z]\b`, true},
	{`codes diagnoses`, `\b(with|by|as|adding|reporting|including|omitting|dropping) (the |only |also )*(code|codes|icd-?10|icd)( code)? [a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})? (only|instead|too|alone|as well)\b`, true},
})

// otherPaper are words of forms and orders on which a clinician asks for a code, and
// of what depends on a result.
var otherPaper = compiled([]pattern{
	{``, `\b(requisitions?|slips?|paperwork|forms?|prescriptions?|referrals?|orders?|supplies|strips|pharmacy|lab|letters?|authorization|problem list|if|once|unless)\b`, false},
	{``, `\bcodes? [a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})? (is|are|was|were|has|had|have)\b`, true},
})

// openers begin what follows them, and are nothing where nothing of the kind does:
// dictations end so.
var openers = compiled([]pattern{
	{`end begin start`, `^\W{0,6}(end|begin|start)(ning)? (of )?(the )?(clinical |patient )?(note|document|text|instructions)\W{0,6}(ends?|begins?)?$`, false},
})
