// Go_format writes Go source in the standard form, and lists what a file declares: the parser and
// printer of Go's own library behind JSON-RPC.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/printer"
	"go/token"
	"io"
	"os"
	"strings"
)

// A misfit says why arguments do not fit a tool.
type misfit string

func (m misfit) Error() string { return string(m) }

type answer struct {
	message    string
	structured any
}

type request struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"params"`
}

type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type block struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type result struct {
	Content    []block `json:"content"`
	Structured any     `json:"structuredContent,omitempty"`
	IsError    bool    `json:"isError"`
}

type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  *result         `json:"result,omitempty"`
	Error   *failure        `json:"error,omitempty"`
}

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(1)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(respond(text)) != nil {
		os.Exit(1)
	}
}

func refuse(id json.RawMessage, code int, message string) response {
	return response{Version: "2.0", ID: id, Error: &failure{code, message}}
}

func respond(text []byte) response {
	null := json.RawMessage("null")
	if !json.Valid(text) {
		return refuse(null, -32700, "the request is not JSON")
	}
	var call request
	if json.Unmarshal(text, &call) != nil || call.Version != "2.0" || call.ID == nil {
		return refuse(null, -32600, "not a request of JSON-RPC 2.0")
	}
	if call.Method != "tools/call" {
		return refuse(call.ID, -32601, "tools/call is the one method")
	}
	tool, found := map[string]func(string) (answer, error){"format": formatted, "outline": outline}[call.Params.Name]
	if !found {
		return refuse(call.ID, -32602, "there is no such tool")
	}
	source, err := sourceOf(call.Params.Arguments)
	var made answer
	if err == nil {
		made, err = tool(source)
	}
	var unfit misfit
	if errors.As(err, &unfit) {
		return refuse(call.ID, -32602, unfit.Error())
	}
	if err != nil {
		return response{Version: "2.0", ID: call.ID, Result: &result{[]block{{"text", err.Error()}}, nil, true}}
	}
	return response{Version: "2.0", ID: call.ID, Result: &result{[]block{{"text", made.message}}, made.structured, false}}
}

// sourceOf gives the one argument that both tools take.
func sourceOf(arguments json.RawMessage) (string, error) {
	var given struct {
		Source *string `json:"source"`
	}
	decoder := json.NewDecoder(bytes.NewReader(arguments))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&given) != nil || given.Source == nil {
		return "", misfit("the arguments are one string, source")
	}
	return *given.Source, nil
}

func formatted(source string) (answer, error) {
	out, err := format.Source([]byte(source))
	if err != nil {
		return answer{}, err
	}
	structured := map[string]any{"source": string(out), "changed": string(out) != source}
	return answer{string(out), structured}, nil
}

type declaration struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Line     int    `json:"line"`
	Exported bool   `json:"exported"`
	Text     string `json:"text,omitempty"`
}

func outline(source string) (answer, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return answer{}, err
	}
	list := []declaration{}
	add := func(name *ast.Ident, kind, text string) {
		line := files.Position(name.Pos()).Line
		list = append(list, declaration{name.Name, kind, line, name.IsExported(), text})
	}
	for _, node := range file.Decls {
		switch node := node.(type) {
		case *ast.FuncDecl:
			kind := "function"
			if node.Recv != nil {
				kind = "method"
			}
			// The head alone: what a function does is not part of an outline.
			var head strings.Builder
			if err := printer.Fprint(&head, files, &ast.FuncDecl{Recv: node.Recv, Name: node.Name, Type: node.Type}); err != nil {
				return answer{}, err
			}
			add(node.Name, kind, head.String())
		case *ast.GenDecl:
			for _, spec := range node.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name, "type", "")
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						add(name, node.Tok.String(), "")
					}
				}
			}
		}
	}
	var lines strings.Builder
	fmt.Fprintf(&lines, "package %s", file.Name.Name)
	for _, item := range list {
		fmt.Fprintf(&lines, "\n%d: %s %s", item.Line, item.Kind, item.Name)
	}
	return answer{lines.String(), map[string]any{"package": file.Name.Name, "declarations": list}}, nil
}
