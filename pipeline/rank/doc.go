// Package rank turns candidates into suggestions: it decides which codes are
// shown, in which order, with which evidence, confidence and reason.
//
// Local does it without an LLM, by trained models over features that a person
// can read and, for bills, by the practice of billing written down as rules.
// What a code is suggested for is always words of the note that state it of the
// patient: words that deny it, fear it, or tell it of somebody else never do.
//
// What the encounter is for (an examination, chemotherapy, the removal of
// sutures) the note says in words of its own where it speaks of its occasion.
// The table of purposes has them; its codes become candidates (WithPurposes) that
// are judged like all others.
//
// The codes of a bill go through the conventions of coding before they are put
// in order (combine): conditions that are one code together are given that code,
// codes that ask for a second get it, and signs of a diagnosis go. The table of
// conventions names the source of each.
//
// LLM asks an LLM in steps. It reads the note and lists what the note states, each
// with a quote and a description in the words of the classification (extract). These
// are looked up, joined with what the search for words found on the same words, and
// shown with what the tabular list says of them; what was found by words alone
// stands in a list of its own. It chooses numbers, with a confidence and a sentence,
// or none (choose). What it chose goes through the conventions like the local
// ranker's codes; errors of the rules go back once (repair). A long note is read in
// parts, a long list shown in several prompts: nothing is cut off.
//
// What it answers is checked: numbers against those shown, quotes against the note
// (quoteFinder), and the words there against the code (backs). What does not hold is
// dropped and counted. Text of the note that speaks to a program (AddressedToModel)
// is not shown to it and proves nothing.
//
// The local ranker ranks too. A suggestion says whether both, or which of them,
// would have it; a code that the local ranker is sure of is shown though the LLM
// left it out, behind the others. Where the two hardly agree, or the note has text
// that speaks to a program, codes of one of them alone carry a warning. A failure of
// the LLM has a reason code and leaves the note to Local.
//
// The stage imports no other stage, knows no SQL and no HTTP, and logs nothing.
package rank
