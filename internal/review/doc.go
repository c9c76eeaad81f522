// Package review is the worklist and what people do with its items: claim one,
// decide on each suggested code, finish, hold, query, reopen.
//
// The state of an item's codes is nothing but its decisions replayed in order
// (Replay): decisions are only ever appended, undo included. What is not a
// decision but concerns the item (who holds it, held or queried) lives in the
// item itself, and its history in the audit trail. Where releases changed since
// the suggestions were made, the newest release check (coding.ReleaseCheck) is
// laid over the codes when they are shown and when an item is to be finished;
// it changes neither suggestions nor decisions.
//
// The coding rules look at the codes whenever an item is shown or decided on, as
// the codes stand then: what the pipeline found goes out of date with the first
// decision. Errors among the codes of the review block finishing until they are
// overridden with a reason.
//
// Each act runs in one transaction: the store locks the item, the pure
// functions here say what follows from item, decisions and suggestions, the
// store writes it. Finishing writes the review's announcement in the same
// transaction. An act sent twice with the same key acts once; one that was
// taken on suggestions which changed meanwhile is refused with ErrChanged.
//
// The package knows no SQL and no HTTP. It touches the database through the
// interfaces it declares. Errors and events hold no note text.
package review
