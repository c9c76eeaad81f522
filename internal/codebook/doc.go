// Package codebook looks codes up for people: by a code, its beginning or words,
// and one code with all that is known of it.
//
// Book chooses the release that holds on a day and keeps what it has loaded: a
// code table for each release that was asked for, the words of its terms
// (Index), and the rule lines of the newest tabular list and Medicare files. All
// of it is loaded at its first use, so that who never looks a code up pays
// nothing. The database is reached through Source alone.
//
// What is searched for may come from a note: nothing of it is logged, and no
// error holds it.
package codebook
