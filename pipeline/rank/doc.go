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
// LLM asks an LLM to choose among numbered candidates and to quote the note. What
// it answers is checked against the candidates shown and against the note; what
// does not hold is dropped and counted. A failure has a reason code and leaves
// the note to Local.
//
// The stage imports no other stage, knows no SQL and no HTTP, and logs nothing.
package rank
