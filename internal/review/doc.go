// Package review is the worklist and what people do with its items: take the
// next one or claim one, decide on each code, finish, reopen; and what is no
// decision: skip, hold, send to somebody, ask the attending or author.
//
// The unit is the encounter: an item holds its notes and one code list.
//
// The state of an item's codes is nothing but its decisions replayed in order
// (Replay): decisions are only ever appended, undo included. What is not a
// decision but concerns the item (who holds it, for whom it waits, held or
// queried) lives in the item itself, and its history in the audit trail, with
// what people said beside it. An item is queried exactly as long as one of its
// queries is open; once all are answered it waits for who asked. Only an open item
// waits for somebody. Where releases changed since the suggestions were made, the
// newest release check (coding.ReleaseCheck) is laid over the codes when they are
// shown and when an item is to be finished; it changes neither suggestions nor
// decisions.
//
// A claim is a lease: every act of its holder and Renew let it last, and when it
// runs out the item is free without anybody's doing; who returns before another
// took it has it again. Next finds an item and claims it in one step.
//
// The coding rules look at the codes whenever an item is shown or decided on, as
// the codes stand then: what the pipeline found goes out of date with the first
// decision. Errors among the codes of the review block finishing until they are
// overridden with a reason, and so does a diagnosis of a stay without its
// present-on-admission indicator; warnings ask once (UnreadyError).
//
// Each act runs in one transaction: the store locks the item, the pure
// functions here say what follows from item, decisions and suggestions, the
// store writes it. Finishing writes the review's announcement in the same
// transaction; Final gives the same review from the decisions. An act sent twice
// with the same key acts once, be it a decision or not; one that was taken on suggestions which changed
// meanwhile is refused with ErrChanged. A Feed tells open pages which items
// changed, in whatever process.
//
// The package knows no SQL and no HTTP. It touches the database through the
// interfaces it declares. Errors and events hold no note text.
package review
