package testpg

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestURL(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var distance float64
	err = conn.QueryRow(t.Context(), `SELECT '[0,3]'::vector <-> '[4,0]'::vector`).Scan(&distance)
	if err != nil || distance != 5 {
		t.Errorf("distance = %v, %v; want 5 from pgvector", distance, err)
	}
}

func TestStopSparesAUsedServer(t *testing.T) {
	url := URL(t)
	stopped, err := Stop(t.Context())
	if stopped || err != nil {
		t.Fatalf("Stop = %v, %v while this process uses the server; want false", stopped, err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("the server is gone: %v", err)
	}
	_ = conn.Close(t.Context())
}
