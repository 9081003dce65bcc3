package main

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// What the clients share: where the gateway is, who asks, one small tool, one small picture, and how a check is told.

var (
	gateway    = os.Getenv("GATEWAY_URL")
	gatewayTLS = os.Getenv("GATEWAY_TLS_URL")
	bedrockURL = os.Getenv("BEDROCK_URL")
	alice      = os.Getenv("ALICE_TOKEN")
	bob        = os.Getenv("BOB_TOKEN")
	mallory    = os.Getenv("MALLORY_TOKEN")
)

const (
	model          = "claude-sonnet-4-5"
	noModel        = "claude-none"
	embeddingModel = "titan-embed-v2"
	hello          = "Say hello."
	standIn        = "stand-in"
	question       = "Who is the director of Alien?"
	director       = "Ridley Scott"
	toolName       = "run_sparql"
	toolSays       = "Runs a read-only SPARQL query."
	look           = "What colour is this?"
	// A red square of 8 by 8 pixels.
	png = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC"
	// The stand-in counts four characters a token over all it was sent, so its count shows that the picture arrived.
	pngTokens = int64(len(png) / 4)
	// The stand-in answers by rule: it calls `run_sparql` for a question it can read by the schema in the prompt.
	system = `The schema:
PREFIX f: <urn:film#>
Classes (instances):
- f:Film (3) "film", "movie"
- f:Person (5) "person", "people"
Properties (from -> to, uses):
- f:directedBy: f:Film -> f:Person (3) "is directed by", "director"; backwards "directed"
`
)

// The stand-in hands a tool what it is told to, so long work makes a long stream.
var longWork = strings.TrimSpace(strings.Repeat("all work and no play makes a dull stream ", 300))
var longQuestion = "Use the tool " + toolName + " with {\"query\": \"" + longWork + "\"}"

var properties = map[string]any{"query": map[string]any{"type": "string"}, "question": map[string]any{"type": "string"}}
var toolSchema = map[string]any{"type": "object", "properties": properties, "required": []string{"query"}}

var answerProperties = map[string]any{"title": map[string]any{"type": "string"}, "year": map[string]any{"type": "integer"}}
var answerSchema = map[string]any{
	"type": "object", "properties": answerProperties, "required": []string{"title", "year"}, "additionalProperties": false,
}

var pngBytes, _ = base64.StdEncoding.DecodeString(png)

// The rows a database would give; the arguments must be the query the question asks for.
func runSparql(arguments string) string {
	var asked struct{ Query string }
	none(json.Unmarshal([]byte(arguments), &asked))
	must(strings.Contains(asked.Query, "f:directedBy") && strings.Contains(asked.Query, `" alien "`), arguments)
	return `{"graph_data":{"columns":["subject","subjectName","object","objectName"],` +
		`"rows":[["urn:alien","Alien","urn:scott","` + director + `"]]}}`
}

// A film as answerSchema wants it.
func mustBeFilm(text string) {
	var film struct {
		Title *string
		Year  *int
	}
	none(json.Unmarshal([]byte(text), &film))
	must(film.Title != nil && film.Year != nil, text)
}

// Lets the stand-in for Bedrock fail in its next calls.
func fault(told map[string]any) {
	body, err := json.Marshal(told)
	none(err)
	answer, err := http.Post(bedrockURL+"/sandbox/faults", "application/json", bytes.NewReader(body))
	none(err)
	defer answer.Body.Close()
	must(answer.StatusCode < 300, answer.Status)
}

func inParallel(count int, work func()) {
	var all sync.WaitGroup
	failures := make(chan any, count)
	for range count {
		all.Go(func() {
			defer func() {
				if failure := recover(); failure != nil {
					failures <- failure
				}
			}()
			work()
		})
	}
	all.Wait()
	if len(failures) > 0 {
		panic(fmt.Sprintf("%d of %d failed, one of them: %v", len(failures), count, <-failures))
	}
}

// The time a call took, in which a Retry-After of a second shows.
func took(call func()) time.Duration {
	begun := time.Now()
	call()
	return time.Since(begun)
}

func must(holds bool, seen any) {
	if !holds {
		panic(fmt.Sprintf("seen instead: %+v", seen))
	}
}

func none(err error) {
	if err != nil {
		panic(err)
	}
}

func value[T any](result T, err error) T {
	none(err)
	return result
}

type check struct {
	what string
	work func()
}

// Prints one line a check, and says whether all held.
func holdAll(client string, checks []check) bool {
	held := true
	for _, one := range checks {
		failure := failureOf(one.work)
		if failure == nil {
			fmt.Printf("ok      %s: %s\n", client, one.what)
			continue
		}
		held = false
		fmt.Printf("FAILED  %s: %s\n%v\n", client, one.what, failure)
	}
	return held
}

func failureOf(work func()) (failure any) {
	defer func() { failure = recover() }()
	work()
	return nil
}
