package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
)

// handler is a page of somebody who is signed in.
type handler func(w http.ResponseWriter, r *http.Request, u coding.User)

// overTLS reports whether the browser came over TLS, by itself or through a
// proxy that says so.
func overTLS(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// page lets signed-in users in and sends others to the sign-in page, from
// where they come back.
func (s *server) page(next handler) http.HandlerFunc {
	return s.authenticated(next, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, signInPath(r), http.StatusSeeOther)
	})
}

// stream is page for what only a script listens to, which could do nothing with the
// page to sign in on.
func (s *server) stream(next handler) http.HandlerFunc {
	return s.authenticated(next, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
}

func (s *server) authenticated(next handler, signedOut http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u, err := s.Auth.Authenticate(r.Context(), s.Auth.TokenFrom(r, overTLS(r)))
		switch {
		case errors.Is(err, auth.ErrSignedOut):
			signedOut(w, r)
		case err != nil:
			s.fail(w, r, err)
		default:
			next(w, r, u)
		}
	}
}

// signInPath is where to sign in to come back to where a request wanted to go.
// After an act that is the page that it was taken on.
func signInPath(r *http.Request) string {
	back := strings.TrimSuffix(r.URL.Path, "/act")
	if back = ownPath(back); back == "/" {
		return "/sign-in"
	}
	return "/sign-in?to=" + url.QueryEscape(back)
}

// signInForm shows the form, or follows a link of the demo.
func (s *server) signInForm(w http.ResponseWriter, r *http.Request) {
	if link := r.URL.Query().Get("link"); link != "" {
		token, _, err := s.Auth.SignInWithLink(r.Context(), link)
		s.signedIn(w, r, token, err, "")
		return
	}
	s.render(w, r, http.StatusOK, "signin", signInView{To: ownPath(r.URL.Query().Get("to"))})
}

// signIn takes the form.
func (s *server) signIn(w http.ResponseWriter, r *http.Request) {
	if err := readForm(w, r, 16<<10); err != nil {
		s.render(w, r, http.StatusBadRequest, "signin", signInView{Error: "This could not be read. Enter user name and password again."})
		return
	}
	login := strings.TrimSpace(r.PostFormValue("login"))
	token, _, err := s.Auth.SignIn(r.Context(), login, r.PostFormValue("password"), r.RemoteAddr)
	s.signedIn(w, r, token, err, login)
}

func (s *server) signedIn(w http.ResponseWriter, r *http.Request, token string, err error, login string) {
	to := ownPath(r.FormValue("to"))
	var wait *auth.ThrottledError
	switch {
	case err == nil:
		http.SetCookie(w, s.Auth.Cookie(token, overTLS(r)))
		http.Redirect(w, r, to, http.StatusSeeOther)
	case errors.As(err, &wait):
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Wait.Seconds())+1))
		s.render(w, r, http.StatusTooManyRequests, "signin", signInView{To: to, Login: login, Error: sentence(wait)})
	case errors.Is(err, auth.ErrSignIn), errors.Is(err, auth.ErrLink):
		s.render(w, r, http.StatusUnauthorized, "signin", signInView{To: to, Login: login, Error: sentence(err)})
	default:
		s.fail(w, r, err)
	}
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request, u coding.User) {
	if err := s.Auth.SignOut(r.Context(), u, s.Auth.TokenFrom(r, overTLS(r))); err != nil {
		s.fail(w, r, err)
		return
	}
	http.SetCookie(w, s.Auth.Cookie("", overTLS(r)))
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// pagePath is what pages' paths look like. It leaves out percent signs,
// backslashes and double slashes: with those, browsers could be sent elsewhere.
var pagePath = regexp.MustCompile(`^(/[A-Za-z0-9][A-Za-z0-9._-]*)+$`)

// ownPath gives a path of this site to go to after signing in; anything else
// becomes the worklist.
func ownPath(to string) string {
	if !pagePath.MatchString(to) || to == "/sign-in" || to == "/sign-out" || to == "/next" {
		return "/"
	}
	return to
}

// fail answers for an error that the user cannot mend.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the browser went away
	}
	s.Logger.Error("a page failed", "route", r.Pattern, "error", err)
	s.render(w, r, http.StatusServiceUnavailable, "message", messageView{
		Title: "Not available just now",
		Text:  "The database did not answer. Nothing that you decided is lost; try again in a moment.",
	})
}
