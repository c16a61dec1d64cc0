// The step: reads a page's title.
package main

import (
	"strings"

	"step/sandbook"
)

type Input struct {
	URL string `json:"url"`
}

type Page struct {
	Title string `json:"title"`
}

type Output struct {
	Title string `json:"title"`
}

func run(_ sandbook.Context, input Input) (*sandbook.Done, error) {
	var page Page
	if err := sandbook.Get(input.URL).CredentialIfBound("api").JSON(&page); err != nil {
		return nil, err
	}
	title := strings.TrimSpace(page.Title)
	if title == "" {
		return nil, sandbook.Fail(sandbook.Failed, "%s has no title", input.URL).WithCode("UnexpectedAnswer")
	}
	return &sandbook.Done{Data: Output{Title: title}, Summary: "read the title"}, nil
}

func init() {
	sandbook.Step(run)
}

func main() {}
