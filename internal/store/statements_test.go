package store_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// placeholders are the numbers put into statements that cannot bind them.
var placeholders = map[string][]any{"sqlfSearchVectors": {1, 256}}

var looksLikeSQL = regexp.MustCompile(`(?s)^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|ALTER|DROP|SET|LOCK|TRUNCATE)\s`)

// Every statement of the package fits the migrated schema, and every one is a
// constant whose name begins with sql, so that none escapes this test.
func TestEveryStatementFitsTheSchema(t *testing.T) {
	t.Parallel()
	statements := constants(t)
	s := storetest.New(t)
	ctx := t.Context()
	err := pgx.BeginFunc(ctx, store.Pool(s), func(tx pgx.Tx) error {
		checked := 0
		// Temporary tables first: others are written for them.
		for name, sql := range statements {
			if strings.HasPrefix(name, "sqlMake") {
				if _, err := tx.Exec(ctx, sql); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		for name, sql := range statements {
			if !strings.HasPrefix(name, "sql") || strings.HasPrefix(name, "sqlMake") {
				continue
			}
			checked++
			if err := prepare(tx, name, sql, t); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if checked < 40 {
			t.Errorf("only %d statements were found", checked)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSummariesNameTables: the name of each statement for metrics and traces has a
// table in it that exists.
func TestSummariesNameTables(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	made := regexp.MustCompile(`CREATE TEMPORARY TABLE (?:IF NOT EXISTS )?([a-z_]+)`)
	tables := map[string]bool{}
	rows, err := store.Pool(s).Query(t.Context(), `SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v', 'm', 'p')`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		tables[name] = true
	}
	statements := constants(t)
	for _, sql := range statements {
		if m := made.FindStringSubmatch(sql); m != nil {
			tables[m[1]] = true
		}
	}
	for name, sql := range statements {
		if !strings.HasPrefix(name, "sql") {
			continue
		}
		if verb, table, ok := strings.Cut(store.Summary(sql), " "); ok && !tables[table] {
			t.Errorf("%s is %s of %q, which is no table", name, verb, table)
		}
	}
}

// prepare prepares a statement without spoiling the transaction when it fails.
func prepare(tx pgx.Tx, name, sql string, t *testing.T) error {
	if args, ok := placeholders[name]; ok {
		sql = fmt.Sprintf(sql, args...)
	}
	nested, err := tx.Begin(t.Context())
	if err != nil {
		return err
	}
	defer nested.Rollback(t.Context())
	_, err = nested.Prepare(t.Context(), "test_"+name, sql)
	return err
}

// constants gives the text constants of the package, and fails the test for
// SQL that is not one.
func constants(t *testing.T) map[string]string {
	t.Helper()
	files := token.NewFileSet()
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	expressions := map[string]ast.Expr{}
	inConstant := map[ast.Node]bool{}
	var parsed []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
		ast.Inspect(file, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				return true
			}
			for _, spec := range decl.Specs {
				for i, value := range spec.(*ast.ValueSpec).Values {
					expressions[spec.(*ast.ValueSpec).Names[i].Name] = value
					ast.Inspect(value, func(n ast.Node) bool { inConstant[n] = true; return true })
				}
			}
			return true
		})
	}
	for _, file := range parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if ok && lit.Kind == token.STRING && !inConstant[n] {
				if text, err := strconv.Unquote(lit.Value); err == nil && looksLikeSQL.MatchString(text) {
					t.Errorf("%s: SQL that is no constant", files.Position(n.Pos()))
				}
			}
			return true
		})
	}
	part := map[string]bool{} // constants that others are made of
	for _, expr := range expressions {
		ast.Inspect(expr, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				part[id.Name] = true
			}
			return true
		})
	}
	texts := map[string]string{}
	for name, expr := range expressions {
		if text, ok := evaluate(expr, expressions); ok {
			texts[name] = text
			if looksLikeSQL.MatchString(text) && !strings.HasPrefix(name, "sql") && !part[name] {
				t.Errorf("the statement %s must have a name that begins with sql", name)
			}
		}
	}
	return texts
}

func evaluate(expr ast.Expr, known map[string]ast.Expr) (string, bool) {
	switch e := expr.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			return text, err == nil
		}
	case *ast.ParenExpr:
		return evaluate(e.X, known)
	case *ast.Ident:
		if value, ok := known[e.Name]; ok {
			return evaluate(value, known)
		}
	case *ast.BinaryExpr:
		left, ok := evaluate(e.X, known)
		right, ok2 := evaluate(e.Y, known)
		return left + right, ok && ok2 && e.Op == token.ADD
	}
	return "", false
}
