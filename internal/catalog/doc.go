// Package catalog brings code sets into the database and gives the pipeline
// what it knows of them on a date of service.
//
// Loader reads release files, stores them, gives every term's text a vector
// and sees to the vectors' index. Catalog loads from the database, once for
// each release and at their first use, the code tables, the retriever over the
// terms and the validator over the rule lines, and notices when releases were
// imported or other models of the ranker chosen meanwhile. It gives them to the pipeline, and the rules to the review
// of a coder's codes. Both reach the database only through the interfaces declared
// here.
package catalog
