// Package deploytest holds the tests of what the program is deployed with: docker-compose.yml, the Dockerfile,
// NATS's settings, and the Makefile's way with signals. It has no code of its own.
package deploytest
