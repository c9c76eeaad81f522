package auth

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"chartcode/internal/coding"
)

// ByConsole is the actor of acts that come from the command line.
const ByConsole = "console"

var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// reserved names stand in decisions and the audit trail for who is no user.
var reserved = map[string]bool{ByConsole: true, coding.ByPipeline: true}

// NewUser is an account to be made.
type NewUser struct {
	Login    string
	Name     string // as shown to others; the login when empty
	Role     coding.UserRole
	Password string // empty: the account has no password and cannot sign in with one
}

// AddUser makes an account. By is who does it: a login, or ByConsole. Errors
// of the input are ErrLogin, ErrName, ErrRole, ErrPassword and ErrTaken.
func (s *Service) AddUser(ctx context.Context, by string, n NewUser) (coding.User, error) {
	n.Login = normalLogin(n.Login)
	if !loginForm.MatchString(n.Login) || reserved[n.Login] {
		return coding.User{}, ErrLogin
	}
	if n.Name = strings.TrimSpace(n.Name); n.Name == "" {
		n.Name = n.Login
	}
	if !shortText(n.Name) {
		return coding.User{}, ErrName
	}
	if !n.Role.Valid() {
		return coding.User{}, ErrRole
	}
	var hash string
	if n.Password != "" {
		if err := checkPassword(n.Login, n.Password); err != nil {
			return coding.User{}, err
		}
		var err error
		if hash, err = s.hash(ctx, n.Password); err != nil {
			return coding.User{}, err
		}
	}
	u := coding.User{Login: n.Login, Name: n.Name, Role: n.Role, CreatedAt: s.now()}
	u, ok, err := s.store.AddUser(ctx, u, hash, s.event(by, "user.added", n.Login))
	if err != nil {
		return coding.User{}, fmt.Errorf("auth: add a user: %w", err)
	}
	if !ok {
		return coding.User{}, ErrTaken
	}
	return u, nil
}

// Users gives all accounts by login.
func (s *Service) Users(ctx context.Context) ([]coding.User, error) {
	users, err := s.store.Users(ctx)
	if err != nil {
		return nil, fmt.Errorf("auth: list users: %w", err)
	}
	return users, nil
}

// User gives one account; the error is ErrNoUser when there is none.
func (s *Service) User(ctx context.Context, login string) (coding.User, error) {
	u, _, found, err := s.store.UserByLogin(ctx, normalLogin(login))
	if err != nil {
		return coding.User{}, fmt.Errorf("auth: look up a user: %w", err)
	}
	if !found {
		return coding.User{}, ErrNoUser
	}
	return u, nil
}

// SetPassword gives a user a new password and ends all sessions of theirs.
func (s *Service) SetPassword(ctx context.Context, by, login, password string) error {
	login = normalLogin(login)
	if err := checkPassword(login, password); err != nil {
		return err
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return err
	}
	found, err := s.store.SetPassword(ctx, login, hash, false, s.event(by, "user.password_set", login))
	return outcome("set a password", found, err, ErrNoUser)
}

// SetDisabled shuts a user out at once, tokens included, or lets them in again.
func (s *Service) SetDisabled(ctx context.Context, by, login string, disabled bool) error {
	login = normalLogin(login)
	action := "user.enabled"
	if disabled {
		action = "user.disabled"
	}
	found, err := s.store.SetUserDisabled(ctx, login, disabled, s.event(by, action, login))
	return outcome("disable a user", found, err, ErrNoUser)
}

// SetRole changes what a user may do, from their next request on.
func (s *Service) SetRole(ctx context.Context, by, login string, role coding.UserRole) error {
	if !role.Valid() {
		return ErrRole
	}
	login = normalLogin(login)
	found, err := s.store.SetUserRole(ctx, login, role, s.event(by, "user.role_"+string(role), login))
	return outcome("set a role", found, err, ErrNoUser)
}

func outcome(what string, found bool, err, none error) error {
	if err != nil {
		return fmt.Errorf("auth: %s: %w", what, err)
	}
	if !found {
		return none
	}
	return nil
}

func normalLogin(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// shortText reports whether s can stand in one line of a table.
func shortText(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= 200 && !strings.ContainsFunc(s, unicode.IsControl)
}
