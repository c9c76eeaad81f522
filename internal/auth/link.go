package auth

import (
	"context"
	"errors"

	"chartcode/internal/coding"
)

// NewLink gives the token of a sign-in link for a user: whoever opens
// /sign-in?link=TOKEN is that user, as often as it is used, while this process
// lives. It is for the demo, whose data are invented and which listens on
// loopback.
func (s *Service) NewLink(ctx context.Context, login string) (token string, err error) {
	u, err := s.User(ctx, login)
	if err != nil {
		return "", err
	}
	token, digest := newSecret()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links[digest] = u.Login
	return token, nil
}

// DemoLink is one line of what the demo prints.
type DemoLink struct {
	Role  coding.UserRole
	Login string
	Token string // goes after /sign-in?link=
}

var demoUsers = []NewUser{
	{Login: "demo-coder", Name: "Casey Coder", Role: coding.RoleCoder},
	{Login: "demo-auditor", Name: "Alex Auditor", Role: coding.RoleAuditor},
	{Login: "demo-manager", Name: "Morgan Manager", Role: coding.RoleManager},
	{Login: "demo-admin", Name: "Ariel Admin", Role: coding.RoleAdmin},
}

// DemoLinks makes the users of the demo, where they are missing, and a new
// link for each. They have no passwords: without a link nobody is one of them.
func (s *Service) DemoLinks(ctx context.Context) ([]DemoLink, error) {
	var links []DemoLink
	for _, n := range demoUsers {
		if _, err := s.AddUser(ctx, ByConsole, n); err != nil && !errors.Is(err, ErrTaken) {
			return nil, err
		}
		token, err := s.NewLink(ctx, n.Login)
		if err != nil {
			return nil, err
		}
		links = append(links, DemoLink{Role: n.Role, Login: n.Login, Token: token})
	}
	return links, nil
}
