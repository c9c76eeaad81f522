package rank

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"chartcode/internal/coding"
)

// A note is written for people. Text in it that speaks to a program (orders to
// ignore instructions, roles of a conversation, lists of candidates, answers in
// JSON, fences, text that no person can see) is somebody's attempt to have codes
// chosen by order, or was pasted from a conversation with one. AddressedToModel
// finds it, so that it is kept from the model, proves no code, and a person is told.
//
// The patterns ask for words that notes do not have together. "Assistant:" with
// a name after it, "system", "instructions given", "ignore the pain" are no signs.

// AddressedToModel gives the stretches of a text that speak to a program, in
// order, each from the start to the end of sentences or lines.
func AddressedToModel(text string) []coding.Span {
	var out []coding.Span
	var open *coding.Span // the last stretch, while what follows belongs to it
	for _, s := range utterances(text) {
		plain, hidden := visible(text[s.Start:s.End])
		strong := hidden || matched(strongPatterns(), plain)
		switch {
		case strong && open != nil && blank(text[open.End:s.Start]):
			open.End = s.End
		case strong:
			out = append(out, s)
			open = &out[len(out)-1]
		case strings.TrimSpace(plain) == "":
		case open != nil && blank(text[open.End:s.Start]) && goesOn(plain):
			open.End = s.End
		default:
			open = nil
		}
	}
	return out
}

// blank reports whether nothing but one line break stands in the gap: a blank
// line ends what somebody says.
func blank(gap string) bool {
	return strings.TrimSpace(gap) == "" && strings.Count(gap, "\n") < 2
}

// utterances cuts a text into lines and these into sentences.
func utterances(text string) []coding.Span {
	var out []coding.Span
	start := 0
	cut := func(end int) {
		if end > start {
			out = append(out, coding.Span{Start: start, End: end})
		}
	}
	comment := false
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case strings.HasPrefix(text[i:], "<!--"):
			cut(i)
			start, comment = i, true
		case comment && strings.HasPrefix(text[i:], "-->"):
			cut(i + 3)
			start, comment = i+3, false
			i += 3
			continue
		case comment && i-start < longestComment:
		case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			cut(i)
			start, comment = i+size, false
		case r == '。' || r == '！' || r == '？' || r == '।':
			cut(i + size)
			start = i + size
		case (r == '.' || r == '!' || r == '?') && i+size < len(text) && (text[i+size] == ' ' || text[i+size] == '\t'):
			if r == '.' && abbreviated(text[start:i]) {
				break
			}
			cut(i + size)
			start = i + size
		}
		i += size
	}
	cut(len(text))
	for i := range out { // white space around belongs to nothing
		s := &out[i]
		s.Start += len(text[s.Start:s.End]) - len(strings.TrimLeft(text[s.Start:s.End], " \t"))
		s.End = s.Start + len(strings.TrimRight(text[s.Start:s.End], " \t"))
	}
	return out
}

// longestComment bounds the text that an open HTML comment takes in, in bytes.
const longestComment = 2000

// abbreviated reports whether the dot after s ends a list number or a title
// rather than a sentence.
func abbreviated(s string) bool {
	i := strings.LastIndexFunc(s, unicode.IsSpace)
	last := s[i+1:]
	if len(last) == 0 || len(last) > 3 {
		return false
	}
	switch strings.ToLower(last) {
	case "dr", "mr", "mrs", "ms", "st", "vs", "no":
		return true
	}
	return strings.Trim(last, "0123456789") == ""
}

// visible gives the text in the form in which patterns are matched: compatible
// forms and look-alike letters made plain, marks that cannot be seen left out, white
// space as blanks, in lower case. hidden is set where there are enough invisible
// marks to hold words.
func visible(s string) (plain string, hidden bool) {
	if isASCII(s) {
		return strings.ToLower(strings.Join(strings.Fields(s), " ")), false
	}
	var b strings.Builder
	unseen := 0
	for _, r := range norm.NFKC.String(s) {
		switch {
		case r >= 0xE0020 && r <= 0xE007E: // tags spell ASCII that is not shown
			unseen += 2
			b.WriteRune(r - 0xE0000)
		case unicode.Is(unicode.Cf, r) || r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF:
			unseen++
		case unicode.IsSpace(r) || unicode.IsControl(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	words := strings.Fields(b.String())
	for i, w := range words {
		if mixed(w) {
			words[i] = strings.Map(plainLetter, w)
		}
	}
	return strings.ToLower(strings.Join(words, " ")), unseen >= unseenWords
}

func plainLetter(r rune) rune {
	if l, ok := lookAlikes[r]; ok {
		return l
	}
	return r
}

// unseenWords is how many invisible marks in one sentence are no accident.
const unseenWords = 8

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// mixed reports whether letters of Latin and a look-alike script stand in one
// word, as no language writes them.
func mixed(s string) bool {
	latin, other := false, false
	for _, r := range s {
		if _, ok := lookAlikes[r]; ok {
			other = true
		} else if r < 0x250 && unicode.IsLetter(r) {
			latin = true
		}
	}
	return latin && other
}

// lookAlikes are Cyrillic and Greek letters that look like Latin ones.
var lookAlikes = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ѕ': 's', 'ј': 'j', 'ԁ': 'd', 'һ': 'h', 'ո': 'n', 'ӏ': 'l', 'ү': 'y', 'к': 'k', 'м': 'm', 'т': 't', 'п': 'n', 'в': 'b', 'н': 'h',
	'А': 'A', 'В': 'B', 'Е': 'E', 'К': 'K', 'М': 'M', 'Н': 'H', 'О': 'O', 'Р': 'P', 'С': 'C', 'Т': 'T', 'Х': 'X', 'У': 'Y', 'І': 'I', 'Ѕ': 'S', 'Ј': 'J',
	'ο': 'o', 'α': 'a', 'ι': 'i', 'ν': 'v', 'ρ': 'p', 'υ': 'u', 'τ': 't', 'κ': 'k', 'ε': 'e', 'Ο': 'O', 'Α': 'A', 'Ι': 'I', 'Ε': 'E', 'Ν': 'N', 'Τ': 'T', 'Κ': 'K', 'Ρ': 'P', 'Χ': 'X', 'Μ': 'M', 'Η': 'H', 'Β': 'B', 'Ζ': 'Z', 'Υ': 'Y',
}

// strongPatterns are each enough. They are matched against visible text.
var strongPatterns = compiled([]pattern{
	// Orders to drop instructions, in the languages that have been seen.
	{`ignore disregard forget override bypass skip overlook follow obey`, `\b(ignore|disregard|forget|override|bypass|skip|overlook|do not (follow|obey)|stop following|don't (follow|obey))\b.{0,40}\b(instructions?|prompts?|rules|directions|guidelines|guardrails|system message|context above|everything (above|before)|all (of the )?(above|previous|prior))\b`},
	{`ignor olvid descart omiso`, `\b(ignora|ignore|ignorad|ignorar|olvida|olvide|descarta|haz caso omiso)\b.{0,40}\b(instrucciones|indicaciones anteriores|reglas|mensaje del sistema)\b`},
	{`ignore oubli`, `\b(ignore|ignorez|ignorer|oublie|oubliez)\b.{0,40}\b(instructions|consignes|r[eè]gles)\b`},
	{`ignorier vergiss vergessen missachte`, `\b(ignoriere|ignorieren|vergiss|vergessen sie|missachte)\b.{0,40}(anweisung|instruktion|regeln|vorgaben)`},
	{`ignor esque desconsidere`, `\b(ignore|ignora|ignorem|esque[cç]a|desconsidere)\b.{0,40}\b(instru[cç][oõ]es|regras|orienta[cç][oõ]es)`},
	{`ignora dimentica`, `\b(ignora|ignorare|ignorate|dimentica|dimenticate)\b.{0,40}\b(istruzioni|regole)\b`},
	{`negeer vergeet`, `\b(negeer|vergeet)\b.{0,40}\b(instructies|aanwijzingen|regels)\b`},
	{`zignoruj zapomnij`, `\b(zignoruj|zapomnij)\b.{0,40}(instrukcj|polece|zasad)`},
	{`игнор забудь обращай`, `(игнорируй|игнорируйте|проигнорируй|забудь|забудьте|не обращай).{0,60}(инструкц|указани|правил)`},
	{`qua`, `\b(bỏ qua|bo qua)\b.{0,40}(hướng dẫn|chỉ dẫn|huong dan)`},
	{`nceki yukar`, `(önceki|yukarıdaki|onceki).{0,40}(talimat|yönerge|kural)`},
	{`忽 无视 無視 不要理会 忘`, `(忽略|无视|無視|忽视|不要理会|忘记|忘掉).{0,20}(指令|指示|说明|說明|规则|規則|提示)`},
	{`無視 忘れ`, `(指示|命令|ルール|プロンプト|指令).{0,12}(無視|忘れ)`},
	{`무시 잊`, `(무시|잊어).{0,20}(지시|명령|지침)|(지시|명령|지침).{0,12}(무시|잊)`},
	{`تجاهل انس`, `(تجاهل|انس|انسى).{0,40}(تعليمات|التعليمات|القواعد|الأوامر)`},
	{`निर्देश`, `(अनदेखा|नज़रअंदाज|नजरअंदाज|भूल).{0,40}निर्देश|(निर्देश).{0,40}(अनदेखा|नज़रअंदाज|नजरअंदाज)`},
	{`התעלמ התעלם`, `(התעלם|התעלמו).{0,40}(הוראות|ההוראות)`},

	// Speaking to a program.
	{`you act behave pretend roleplay`, `\b(you are|you're|act as|pretend to be|behave as|imagine you are|roleplay as)\b.{0,40}\b(ai|a\.i\.|assistant model|language model|llm|chatgpt|gpt|claude|gemini|llama|chatbot|bot|unrestricted|dan|medical coder|coding (assistant|engine|system|model|software))\b`},
	{`ai llm language automated autocoder gpt claude gemini coding`, `\b(attention|note|notice|message|instructions?|memo|hey|dear|hello|hi|to|for)\b[ ,:]{0,3}(to |for )?(the |any |all |this )?(ai|llm|language model|large language model|ai model|coding (ai|model|bot|engine|software|assistant)|ai (coder|coding|assistant|system|agent|reviewer|reader)|automated (coder|coding|coding system)|autocoder|chatgpt|gpt-?[0-9]|claude|gemini)\b`},
	{`as`, `\bas an? (ai|language model|llm|ai (model|assistant))\b`},
	{`ai llm model`, `\b(the |this |your )(ai|llm|language model|model)\b.{0,30}\b(must|should|shall|has to|is (instructed|required|told)|will)\b.{0,60}\b(code|codes|report|choose|select|output|answer|return|add|assign|ignore)\b`},
	{`system developer jailbreak prompt instruction admin`, `\b(system prompt|system message|system override|developer (mode|message)|jailbreak|prompt injection|new instructions?:|updated instructions?:|end of (instructions|prompt|system|note text)|begin(ning)? of (new )?(instructions|prompt)|hidden instructions?|admin override)\b`},

	// Roles of a conversation and their marks.
	{`system developer user human tool`, `^\W{0,4}(system|developer|user|human|tool)\W{0,3}[:>\]]\W{0,3}.{0,80}\b(you|your|ignore|instruction|instructions|candidate|candidates|code|codes|answer|confidence|output|respond|model|override|prompt|disregard|choose)\b`},
	{`assistant ai model gpt claude`, `^\W{0,4}(assistant|ai|model|chatgpt|gpt|claude)\W{0,3}[:>\]]\W{0,3}.{0,80}\b(i will|i'll|i have|sure|understood|certainly|of course|ok|okay|code|codes|answer|confidence|candidate|the correct|the final)\b`},
	{`assistant ai model`, `^\W{0,4}(assistant|ai|model)\W{0,3}[:>\]] ?[\[{]`},
	{`<| inst] sys> </ > ##`, `<\|.{0,30}\|>|\[/?inst\]|<</?sys>>|</?(system|assistant|user|instructions?|prompt|note|human|tool_call|function_call|admin)>|^#{2,} ?(instruction|response|system|assistant|user|input|human|new task)s?\b`},
	{"```", "^```"},

	// Lists of candidates and answers as the program writes and reads them.
	{`| ;`, `^\W{0,3}[0-9]{1,4} ?[|;] ?[a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})? ?[|;]`},
	{`"`, `"(codes|items|number|confidence|first|quotes|rationale|assertion)" ?: ?[\[{0-9"]`},
	{`candidate statement item`, `\b(candidates?|statements?|items?) (numbers?|no\.?|#|list) ?[0-9]*\b.{0,60}\b(confidence|choose|chosen|select|correct|answer|report|replaced?|updated?)\b`},
	{`candidate number item statement`, `\b(choose|select|pick|report|return|output|answer( with)?|respond with|give|prefer|use|add)\b.{0,30}\b(candidates?|numbers? [0-9]+|item [0-9]+|statement [0-9]+)\b`},
	{`confidence`, `\bconfidence\b.{0,12}\b(1\.0+|0\.9[0-9]*|100 ?%|of 1\b|1\b)`},
	{`confidence`, `\b(with|at|full|maximum|highest|maximal) confidence\b.{0,40}\b(code|report|assign|choose|output)|\b(code|report|assign|choose|output)\b.{0,60}\b(full|maximum|highest|maximal) confidence\b`},
	{`output return respond answer reply print emit generate`, `\b(output|return|respond with|answer with|reply with|print|emit|generate) (only|nothing|an? empty|no|the following|this|exactly|just|valid)? ?(json|codes?|list|nothing|array|object|answer|word|the following)\b`},
	{`not don't never`, `\b(do not|don't|never|must not) (report|output|return|suggest|choose|include|extract|list|mention|assign) (any|the|other|further|more|additional)? ?(other |further |more |additional )?(icd|codes?|diagnos[ei]s|conditions?|items?|statements?)\b`},
	{`report output return suggest choose extract list assign`, `\b(report|output|return|suggest|choose|extract|list|assign) (only|no|zero|nothing but|just) ?(the |this |one )?(codes?|icd|candidates?|[a-z][0-9][0-9a-z]\.[0-9a-z]+)`},

	// Fences like the program's own.
	{`note-`, `\bnote-[0-9a-f]{6,}\b`},
	{`end begin start`, `^\W{0,6}(end|begin|start)(ning)? (of )?(the )?(clinical )?(note|document|patient (note|data)|data|text|untrusted (text|data)|context)\W{0,6}(ends?|begins?)?$`},
	{`fence`, `\bfence word\b`},

	// What a page would run or hide.
	{`< javascript onerror display data:`, `<!--|<script|<iframe|<svg|<img [^>]*(src|onerror)|javascript:|onerror ?=|<span [^>]*(display|visibility|font-size|color)|display: ?none|data:text/html`},
	{`![`, `!\[[^\]]*\]\(https?:`},
})

// continued are signs that a sentence after one of the above belongs to it.
var continued = compiled([]pattern{
	{``, `^\W{0,4}(code|codes|report|add|choose|select|output|return|respond|answer|assign|list|use|set|write|include|exclude|remove|delete|drop|do not|don't|never|always|only|you|your|instead|mark|treat|replace|change|confirm|reply|this is|the (correct|right|only|final|following)|from now|therefore|also|then|now|please)\b.{0,160}\b(codes?|coded|icd|candidates?|confidence|answer|quotes?|diagnos[ei]s|list|numbers?|output|json|instructions?|rules?|response|model|prompt|above|below|nothing|[a-z][0-9][0-9a-z]\.[0-9a-z]{1,4})\b`},
	{``, `^\W{0,4}[a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})?\b`},
	{``, `\b(codes?|candidates?|confidence|output|json|instructions?)\b.{0,60}\b[a-z][0-9][0-9a-z]\.[0-9a-z]{1,4}\b|\b[a-z][0-9][0-9a-z]\.[0-9a-z]{1,4}\b.{0,60}\b(codes?|candidates?|confidence|output|json)\b`},
	{``, `\b(kode|kodes|code|códigos?|codes?|codice|codici|c[oó]digo|kod|код|коды|codieren|kodieren|codez|codifica|codifique|coder)\b.{0,40}\b[a-z][0-9][0-9a-z](\.[0-9a-z]{1,4})?\b`},
	{``, `(代码|代碼|编码|コード|코드|код|رمز|कोड)`},
	{``, `^[\[{}\]]`},
	{``, `^\W{0,3}[0-9]{1,4} ?[|;] `},
})

func goesOn(plain string) bool { return matched(continued(), plain) }

// pattern is a regular expression and what the text must hold for it to be worth
// trying: one of these, divided by blanks; empty: anything. Most sentences hold
// nothing of the kind, and expressions are slow.
type pattern struct{ need, expr string }

type compiledPattern struct {
	need []string
	*regexp.Regexp
}

// compiled gives the patterns, made at their first use.
func compiled(list []pattern) func() []compiledPattern {
	return sync.OnceValue(func() []compiledPattern {
		out := make([]compiledPattern, len(list))
		for i, p := range list {
			out[i] = compiledPattern{strings.Fields(p.need), regexp.MustCompile(p.expr)} // a test compiles them
		}
		return out
	})
}

func matched(list []compiledPattern, plain string) bool {
	for _, p := range list {
		worth := len(p.need) == 0
		for _, n := range p.need {
			worth = worth || strings.Contains(plain, n)
		}
		if worth && p.MatchString(plain) {
			return true
		}
	}
	return false
}
