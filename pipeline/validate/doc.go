// Package validate holds suggestions against the rules of coding before a
// coder sees them: it takes out what may not be reported at all, gives the
// codes their roles, and says of the others what a coder must know. Check does
// the same for the codes of a coder's decision, without a note.
//
// Rules are data plus a small engine. The data are the lines of the tabular
// list and of the Medicare files that a site has loaded (codeset.Line), and the
// tables of this package, which name their sources; the engine is a list of
// rules (rules in engine.go), each a function that looks at all codes together.
//
// The stage is pure: it knows no database and no network, and logs nothing. A
// finding names its rule, its severity, the codes it concerns and the source it
// rests on; it holds no note text. A finding about several codes is given to
// each of them. Errors block until a coder overrides them with a reason,
// warnings ask, informations tell.
package validate
