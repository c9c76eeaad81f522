package llm

import (
	"bytes"
	_ "embed" // the table of prices
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"

	"chartcode/internal/coding"
)

//go:embed prices.csv
var embeddedPrices []byte

// Price is what a model costs, in US dollars per million tokens.
type Price struct {
	Input, CachedInput, Output float64
	AsOf, Source               string // when the price was written down, and from what
}

// nano is the cost in billionths of a dollar, rounded up.
func (p Price) nano(prompt, cached, completion int) int64 {
	cached = min(max(cached, 0), max(prompt, 0))
	usd := (float64(max(prompt, 0)-cached)*p.Input + float64(cached)*p.CachedInput + float64(max(completion, 0))*p.Output) / 1e6
	return int64(min(math.Ceil(usd*1e9), math.MaxInt64/4))
}

func (p Price) usage(u coding.Usage) int64 {
	return p.nano(u.PromptTokens, u.CachedTokens, u.CompletionTokens)
}

// Prices are known prices by model.
type Prices map[string]Price

var dated = regexp.MustCompile(`-20[0-9]{2}-[0-9]{2}-[0-9]{2}$`)

// Of is the price of a model; a dated edition (gpt-4o-2024-08-06) has that of
// its model unless it has its own.
func (p Prices) Of(model string) (Price, bool) {
	if price, ok := p[model]; ok {
		return price, true
	}
	price, ok := p[dated.ReplaceAllString(model, "")]
	return price, ok
}

// LoadPrices gives the prices that the program knows, overridden by what the
// site says: the name of a CSV file with the columns of the program's own table
// (model, input_usd_per_million, cached_input_usd_per_million,
// output_usd_per_million, and if wanted as_of and source), or prices in place:
// MODEL=INPUT/OUTPUT or MODEL=INPUT/CACHED/OUTPUT, separated by commas.
func LoadPrices(site string) (Prices, error) {
	prices, err := readPrices(bytes.NewReader(embeddedPrices))
	if err != nil || site == "" {
		return prices, err
	}
	more, err := sitePrices(site)
	for model, price := range more {
		prices[model] = price
	}
	return prices, err
}

func sitePrices(site string) (Prices, error) {
	f, err := os.Open(site)
	if err != nil {
		if strings.Contains(site, "=") {
			return parsePrices(site)
		}
		return nil, fmt.Errorf("the file of prices cannot be read: write the name of a CSV file, or MODEL=INPUT/OUTPUT in US dollars per million tokens")
	}
	defer f.Close()
	return readPrices(f)
}

func parsePrices(text string) (Prices, error) {
	prices := Prices{}
	for item := range strings.SplitSeq(text, ",") {
		i := strings.LastIndexByte(item, '=')
		if i <= 0 {
			return nil, fmt.Errorf("a price is written MODEL=INPUT/OUTPUT or MODEL=INPUT/CACHED/OUTPUT")
		}
		numbers := strings.Split(item[i+1:], "/")
		if len(numbers) == 2 {
			numbers = []string{numbers[0], numbers[0], numbers[1]}
		}
		price, err := priceOf(numbers)
		if err != nil {
			return nil, err
		}
		price.Source = "the site"
		prices[strings.TrimSpace(item[:i])] = price
	}
	return prices, nil
}

var priceColumns = []string{"model", "input_usd_per_million", "cached_input_usd_per_million", "output_usd_per_million"}

func readPrices(r io.Reader) (Prices, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	c.Comment = '#'
	rows, err := c.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("the table of prices is no CSV file: %w", err)
	}
	prices := Prices{}
	for n, row := range rows {
		if n == 0 {
			if len(row) < 4 || strings.Join(row[:4], ",") != strings.Join(priceColumns, ",") {
				return nil, fmt.Errorf("the table of prices must begin with the line %s", strings.Join(priceColumns, ","))
			}
			continue
		}
		if len(row) < 4 || strings.TrimSpace(row[0]) == "" {
			return nil, fmt.Errorf("line %d of the table of prices has no model or not enough columns", n+1)
		}
		price, err := priceOf(row[1:4])
		if err != nil {
			return nil, fmt.Errorf("line %d of the table of prices: %w", n+1, err)
		}
		if len(row) >= 6 {
			price.AsOf, price.Source = row[4], row[5]
		}
		prices[strings.TrimSpace(row[0])] = price
	}
	return prices, nil
}

// priceOf reads input, cached input and output.
func priceOf(numbers []string) (p Price, err error) {
	if len(numbers) != 3 {
		return p, fmt.Errorf("a price is INPUT/OUTPUT or INPUT/CACHED/OUTPUT")
	}
	for i, to := range []*float64{&p.Input, &p.CachedInput, &p.Output} {
		v, err := strconv.ParseFloat(strings.TrimSpace(numbers[i]), 64)
		if err != nil || !(v >= 0 && v <= 1e6) {
			return p, fmt.Errorf("a price is a number of US dollars per million tokens, from 0 to 1000000")
		}
		*to = v
	}
	return p, nil
}
