package main

import "net/url"

// redacted is an address without the password that it may hold.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "(address not shown)"
	}
	return u.Redacted()
}
