package sandbook

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"step/build/bindings/imports/sandbook_step_http"
	"step/build/bindings/imports/sandbook_step_secrets"

	wit "go.bytecodealliance.org/pkg/wit/types"
)

// How much of a body a message quotes, in bytes.
const quoted = 300

// Request is a request in the making: sandbook.Get(url).Credential("api").JSON(&page). Nothing is sent before Send,
// Checked or JSON. What goes wrong before is told by these.
type Request struct {
	outgoing   sandbook_step_http.Request
	credential wit.Option[*sandbook_step_secrets.Credential]
	fault      error
}

// Get makes a GET request.
func Get(url string) *Request { return NewRequest("GET", url) }

// Post makes a POST request. It is not repeatable unless it says so.
func Post(url string) *Request { return NewRequest("POST", url) }

// Put makes a PUT request.
func Put(url string) *Request { return NewRequest("PUT", url) }

// Patch makes a PATCH request. It is not repeatable unless it says so.
func Patch(url string) *Request { return NewRequest("PATCH", url) }

// Delete makes a DELETE request.
func Delete(url string) *Request { return NewRequest("DELETE", url) }

// NewRequest makes a request of any method, in capitals.
func NewRequest(method, url string) *Request {
	return &Request{
		outgoing: sandbook_step_http.Request{
			Method:     valid(method),
			Url:        valid(url),
			Body:       wit.None[[]uint8](),
			Repeatable: wit.None[bool](),
			Timeout:    wit.None[uint64](),
		},
		credential: wit.None[*sandbook_step_secrets.Credential](),
	}
}

// Header adds a header field.
func (request *Request) Header(name, value string) *Request {
	header := sandbook_step_http.Header{Name: valid(name), Value: valid(value)}
	request.outgoing.Headers = append(request.outgoing.Headers, header)
	return request
}

// Body sets the body as it is.
func (request *Request) Body(body []byte) *Request {
	request.outgoing.Body = wit.Some(body)
	return request
}

// BodyJSON sets the body, as JSON, and adds its content type.
func (request *Request) BodyJSON(value any) *Request {
	body, err := json.Marshal(value)
	if err != nil {
		request.fault = err
	}
	return request.Header("content-type", "application/json").Body(body)
}

// Credential has the engine authenticate the request with the credential that the runbook binds to a slot.
func (request *Request) Credential(slot string) *Request {
	if request.CredentialIfBound(slot).credential.IsNone() {
		request.fault = Fail(Unauthorized,
			"the runbook binds no credential to the slot `%s`; add `credentials: { %s: NAME }` to the step", slot, slot,
		).WithCode("SlotUnbound")
	}
	return request
}

// CredentialIfBound is the same for a slot that is optional: where the runbook binds none, the request goes without.
func (request *Request) CredentialIfBound(slot string) *Request {
	opened := sandbook_step_secrets.Open(valid(slot))
	if opened.IsOk() {
		request.credential = wit.Some(opened.Ok())
	}
	return request
}

// Repeatable says whether sending this twice is as harmless as sending it once. Unsaid, all but POST and PATCH are.
func (request *Request) Repeatable(repeatable bool) *Request {
	request.outgoing.Repeatable = wit.Some(repeatable)
	return request
}

// Timeout says how long to wait for the answer.
func (request *Request) Timeout(span time.Duration) *Request {
	request.outgoing.Timeout = wit.Some(milliseconds(span))
	return request
}

// Send sends the request; the answer, whatever its status. Without an answer the error is a *Failure.
func (request *Request) Send() (*Response, error) {
	if request.fault != nil {
		return nil, request.fault
	}
	sent := sandbook_step_http.Send(request.outgoing, request.credential)
	if sent.IsErr() {
		return nil, unanswered(sent.Err())
	}
	answer := sent.Ok()
	bare, _, _ := strings.Cut(request.outgoing.Url, "?")
	return &Response{
		Asked:   request.outgoing.Method + " " + bare,
		Status:  int(answer.Status),
		Body:    answer.Body,
		headers: answer.Headers,
	}, nil
}

// Checked sends the request; the answer when its status is 2xx, or else its *Failure.
func (request *Request) Checked() (*Response, error) {
	response, err := request.Send()
	if err != nil {
		return nil, err
	}
	if response.Status/100 != 2 {
		return nil, response.Failure()
	}
	return response, nil
}

// JSON sends the request and reads the JSON of the answer, if its status is 2xx.
func (request *Request) JSON(into any) error {
	response, err := request.Checked()
	if err != nil {
		return err
	}
	return response.JSON(into)
}

// Response is an answer, whole.
type Response struct {
	// Method and URL without its query, for messages.
	Asked   string
	Status  int
	Body    []byte
	headers []sandbook_step_http.Header
}

// Header is the first header field of that name, in any case; or nothing.
func (response *Response) Header(name string) string {
	for _, header := range response.headers {
		if strings.EqualFold(header.Name, name) {
			return header.Value
		}
	}
	return ""
}

// JSON reads the body as JSON, whatever the status.
func (response *Response) JSON(into any) error {
	if err := json.Unmarshal(response.Body, into); err != nil {
		return Fail(Failed, "%s answered %d with something unexpected: %v: %s",
			response.Asked, response.Status, err, response.quoted()).WithCode("UnexpectedAnswer")
	}
	return nil
}

// RetryAfter is how long the service asks to wait, in seconds; nil where it doesn't.
func (response *Response) RetryAfter() *time.Duration {
	seconds, err := strconv.ParseUint(response.Header("retry-after"), 10, 32)
	if err != nil {
		return nil
	}
	span := time.Duration(seconds) * time.Second
	return &span
}

// Failure is what this answer is to a step that can't go on with it.
func (response *Response) Failure() *Failure {
	failure := Fail(kind(response.Status), "%s answered %d: %s", response.Asked, response.Status, response.quoted())
	failure.RetryAfter = response.RetryAfter()
	return failure.WithCode(fmt.Sprintf("Http%d", response.Status))
}

func (response *Response) quoted() string {
	words := strings.Join(strings.Fields(strings.ToValidUTF8(string(response.Body), "\ufffd")), " ")
	if len(words) <= quoted {
		return words
	}
	end := quoted
	for !utf8.RuneStart(words[end]) {
		end--
	}
	return words[:end] + "…"
}

func unanswered(err sandbook_step_http.Error) *Failure {
	switch err.Tag() {
	case sandbook_step_http.Error_Denied:
		return Fail(Unauthorized, "%s", err.Denied()).WithCode("Denied")
	case sandbook_step_http.Error_HeldBack:
		return Fail(Failed, "held back: this is a dry run").WithCode("HeldBack")
	case sandbook_step_http.Error_Unreachable:
		return Fail(Unavailable, "%s", err.Unreachable()).WithCode("Unreachable")
	case sandbook_step_http.Error_TimedOut:
		return Fail(TimedOut, "%s", err.TimedOut()).WithCode("TimedOut")
	case sandbook_step_http.Error_TooLarge:
		return Fail(Failed, "%s", err.TooLarge()).WithCode("TooLarge")
	default:
		return Fail(Failed, "%s", err.Malformed()).WithCode("Malformed")
	}
}

func kind(status int) Kind {
	switch status {
	case 401, 403, 407:
		return Unauthorized
	case 404, 410:
		return NotFound
	case 409, 412, 423:
		return Conflict
	case 420, 429:
		return RateLimited
	case 408, 504:
		return TimedOut
	}
	switch status / 100 {
	case 4:
		return InvalidInput
	case 5:
		return Unavailable
	}
	return Failed
}

// Join is a URL of a base and further segments, each of which stays one segment.
func Join(base string, segments ...string) (string, error) {
	joined := strings.TrimRight(base, "/")
	for _, segment := range segments {
		if segment == "" || segment == "." || segment == ".." {
			return "", Fail(InvalidInput, "`%s` can't be a part of a URL's path", segment)
		}
		joined += "/" + url.PathEscape(segment)
	}
	return joined, nil
}
