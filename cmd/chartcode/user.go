package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
)

// withAuth runs f with the accounts of the database.
func withAuth(ctx context.Context, o *options, f func(ctx context.Context, s *auth.Service) error) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.openStore(ctx, checkSchema, 2); err != nil {
		return err
	}
	s, err := auth.New(auth.Config{Store: a.store, Logger: a.log})
	if err != nil {
		return err
	}
	return databaseError(f(ctx, s))
}

// readPassword asks on a terminal, twice, or takes the first line of standard
// input; a password never stands in an argument, where others could see it.
func readPassword() (string, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		if err != nil && line == "" {
			return "", errors.New("no password came on standard input")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	ask := func(text string) (string, error) {
		fmt.Fprint(os.Stderr, text)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(os.Stderr)
		return string(b), err
	}
	first, err := ask("Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask("Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}

func userCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Accounts of the people who sign in"}
	var role, name string
	add := &cobra.Command{
		Use: "add LOGIN", Short: "Make an account; the password is asked for, or read from standard input", Args: cobra.ExactArgs(1),
		Example: "  chartcode user add jdoe --role coder --name \"Jo Doe\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			password := ""
			if coding.UserRole(role) != coding.RoleService {
				var err error
				if password, err = readPassword(); err != nil {
					return err
				}
				if password == "" {
					return auth.ErrPassword
				}
			}
			return withAuth(cmd.Context(), o, func(ctx context.Context, s *auth.Service) error {
				u, err := s.AddUser(ctx, auth.ByConsole, auth.NewUser{Login: args[0], Name: name, Role: coding.UserRole(role), Password: password})
				if err == nil {
					fmt.Printf("%s can sign in as %s\n", u.Login, u.Role)
				}
				return err
			})
		},
	}
	add.Flags().StringVar(&role, "role", string(coding.RoleCoder), "coder, auditor, manager, admin or service (a program; it signs in with a token only)")
	add.Flags().StringVar(&name, "name", "", "as shown to others")
	list := &cobra.Command{
		Use: "list", Short: "List accounts", Args: cobra.NoArgs, Example: "  chartcode user list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAuth(cmd.Context(), o, func(ctx context.Context, s *auth.Service) error {
				users, err := s.Users(ctx)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(os.Stdout, 2, 8, 2, ' ', 0)
				fmt.Fprintln(w, "LOGIN\tNAME\tROLE\tSTATE\tLAST SEEN")
				for _, u := range users {
					state, seen := "active", "never"
					if u.Disabled {
						state = "disabled"
					}
					if !u.LastSeenAt.IsZero() {
						seen = u.LastSeenAt.Local().Format(time.DateTime)
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", u.Login, u.Name, u.Role, state, seen)
				}
				return w.Flush()
			})
		},
	}
	passwd := &cobra.Command{
		Use: "passwd LOGIN", Short: "Set a new password; the user's sessions end", Args: cobra.ExactArgs(1), Example: "  chartcode user passwd jdoe",
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := readPassword()
			if err != nil {
				return err
			}
			return withAuth(cmd.Context(), o, func(ctx context.Context, s *auth.Service) error {
				return s.SetPassword(ctx, auth.ByConsole, args[0], password)
			})
		},
	}
	toggle := func(use, short string, disabled bool) *cobra.Command {
		return &cobra.Command{
			Use: use + " LOGIN", Short: short, Args: cobra.ExactArgs(1), Example: "  chartcode user " + use + " jdoe",
			RunE: func(cmd *cobra.Command, args []string) error {
				return withAuth(cmd.Context(), o, func(ctx context.Context, s *auth.Service) error {
					return s.SetDisabled(ctx, auth.ByConsole, args[0], disabled)
				})
			},
		}
	}
	cmd.AddCommand(add, list, passwd, toggle("disable", "Lock an account; its sessions end", true), toggle("enable", "Unlock an account", false))
	return cmd
}

func tokenCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Bearer tokens for programs that use the API"}
	var label string
	var days int
	add := &cobra.Command{
		Use: "add LOGIN", Short: "Make a token with which a program acts as a user; it is shown once", Args: cobra.ExactArgs(1),
		Example: "  chartcode token add feed --label \"nightly upload\" --days 90",
		RunE: func(cmd *cobra.Command, args []string) error {
			if days < 0 {
				return usagef("--days is 0 (no end) or more")
			}
			return withAuth(cmd.Context(), o, func(ctx context.Context, s *auth.Service) error {
				bearer, _, err := s.NewToken(ctx, auth.ByConsole, args[0], label, time.Duration(days)*24*time.Hour)
				if err == nil {
					fmt.Println(bearer)
				}
				return err
			})
		},
	}
	add.Flags().StringVar(&label, "label", "", "what it is for")
	add.Flags().IntVar(&days, "days", 365, "days until it ends; 0: never")
	list := &cobra.Command{
		Use: "list", Short: "List tokens, without their keys", Args: cobra.NoArgs, Example: "  chartcode token list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAuth(cmd.Context(), o, func(ctx context.Context, s *auth.Service) error {
				tokens, err := s.Tokens(ctx)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(os.Stdout, 2, 8, 2, ' ', 0)
				fmt.Fprintln(w, "NUMBER\tUSER\tLABEL\tMADE\tENDS\tSTATE")
				for _, t := range tokens {
					ends, state := "never", "active"
					if !t.ExpiresAt.IsZero() {
						ends = t.ExpiresAt.Local().Format(time.DateOnly)
					}
					if !t.RevokedAt.IsZero() {
						state = "revoked"
					}
					fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.User.Login, t.Label, t.CreatedAt.Local().Format(time.DateOnly), ends, state)
				}
				return w.Flush()
			})
		},
	}
	revoke := &cobra.Command{
		Use: "revoke NUMBER", Short: "End a token at once", Args: cobra.ExactArgs(1), Example: "  chartcode token revoke 3",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id <= 0 {
				return usagef("%q is no number of a token; see chartcode token list", args[0])
			}
			return withAuth(cmd.Context(), o, func(ctx context.Context, s *auth.Service) error {
				return s.RevokeToken(ctx, auth.ByConsole, id)
			})
		},
	}
	cmd.AddCommand(add, list, revoke)
	return cmd
}
