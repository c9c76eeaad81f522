package bus

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// The cost of moving notes of 3 KB, as notes a second: submitted in bulk beside
// the raw client's asynchronous publish of the same bytes, and worked through by
// a handler that does nothing beside a raw fetch with confirmed acknowledgements.
// The server is the embedded one, which writes each message to the disk first.
func BenchmarkBus(b *testing.B) {
	const notes = 3000
	message := func(i int) []byte { return append(body(fmt.Sprint(i)), make([]byte, 3<<10)...) }
	rate := func(b *testing.B) { b.ReportMetric(float64(notes)*float64(b.N)/b.Elapsed().Seconds(), "notes/s") }
	fill := func(b *testing.B, bus *Bus) {
		s, err := bus.Submitter(SubmitterConfig{Done: func(_ int, _ bool, err error) {
			if err != nil {
				b.Error(err)
			}
		}})
		if err != nil {
			b.Fatal(err)
		}
		for i := range notes {
			if err := s.Submit(b.Context(), Submission{Source: "north", NoteID: fmt.Sprint(i), Body: message(i)}); err != nil {
				b.Fatal(err)
			}
		}
		s.Wait()
	}

	b.Run("submit", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			bus := newBus(b)
			b.StartTimer()
			fill(b, bus)
		}
		rate(b)
	})
	b.Run("raw_publish", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			bus := newBus(b)
			b.StartTimer()
			for i := range notes {
				if _, err := bus.js.PublishAsync("notes.submitted.north", message(i)); err != nil {
					b.Fatal(err)
				}
			}
			<-bus.js.PublishAsyncComplete()
		}
		rate(b)
	})
	b.Run("work", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			bus := newBus(b)
			fill(b, bus)
			ctx, cancel := context.WithCancel(b.Context())
			var n atomic.Int64
			b.StartTimer()
			if err := bus.Work(ctx, WorkConfig{Concurrency: 8, Observe: func(Outcome) {
				if n.Add(1) == notes {
					cancel()
				}
			}}, func(context.Context, Delivery) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
		rate(b)
	})
	b.Run("raw_fetch", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			bus := newBus(b)
			fill(b, bus)
			c, err := bus.js.CreateConsumer(b.Context(), StreamNotes, jetstream.ConsumerConfig{Durable: "raw", AckPolicy: jetstream.AckExplicitPolicy})
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			for done := 0; done < notes; {
				batch, err := c.FetchNoWait(8)
				if err != nil {
					b.Fatal(err)
				}
				for msg := range batch.Messages() {
					if err := msg.DoubleAck(b.Context()); err != nil {
						b.Fatal(err)
					}
					done++
				}
			}
		}
		rate(b)
	})
}
