// Package lexicon knows the words of clinical English: how a text falls into
// tokens, which spellings and inflections are the same word, what an
// abbreviation stands for, and which lay and clinical words mean the same.
//
// Notes and code terms go through the same functions, so that the words of a
// note meet the words of a term. Everything is deterministic and read only; the
// package does no input or output and imports only coding.
//
// Three strengths of sameness, strongest first:
//
//   - Token.Norm: spelling, inflection and adjectives of the same root (tumor,
//     tumors, stenotic and stenosis, tracheal and trachea) have one norm;
//   - Expand: an abbreviation, with a weight that says how sure its reading is;
//   - Equivalents: other words of the same meaning (renal and kidney), with a
//     weight below 1, as they do not mean the same everywhere.
package lexicon
