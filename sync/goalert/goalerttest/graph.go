package goalerttest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// object is something that can be asked about; its fields are values, or are
// found when they are asked for.
type object map[string]any

// found is a field that takes arguments.
type found func(arguments map[string]any) (any, *failure)

// failure is one error of GraphQL.
type failure struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path,omitempty"`
	Extensions map[string]any `json:"extensions,omitempty"`
}

func fieldFailure(field, message string) *failure {
	return &failure{Message: message, Extensions: map[string]any{"fieldName": field, "isFieldError": true}}
}

// nullable are the fields of the root that become null when they fail; with any
// other, all data does.
var nullable = []string{"user", "alert", "schedule", "updateAlerts", "escalateAlerts"}

// graph answers one request.
func (s *Server) graph(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	who, bound, admitted := s.admit(w, r)
	if !admitted {
		return
	}
	var asked struct {
		Query     string         `json:"query"`
		Operation string         `json:"operationName"`
		Variables map[string]any `json:"variables"`
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || json.Unmarshal(body, &asked) != nil {
		http.Error(w, "transport not supported", http.StatusBadRequest)
		return
	}
	if bound != nil {
		if asked.Query != "" && asked.Query != bound.query {
			reply(w, http.StatusOK, nil, &failure{Message: "wrong query for API key", Extensions: map[string]any{"code": "invalid_query"}})
			return
		}
		asked.Query = bound.query
	}
	document, operation, wrong := s.understand(asked.Query, asked.Operation, asked.Variables)
	if wrong != nil {
		reply(w, http.StatusUnprocessableEntity, nil, wrong)
		return
	}
	s.heard = append(s.heard, operation.Name)
	run := &execution{document: document, variables: asked.Variables}
	root := s.query(who)
	if operation.Operation == ast.Mutation {
		root = s.mutation(who)
	}
	data := run.project(root, operation.SelectionSet, nil)
	if slices.ContainsFunc(run.failures, func(f *failure) bool { return !slices.Contains(nullable, f.Path[0].(string)) }) {
		data = nil
	}
	reply(w, http.StatusOK, data, run.failures...)
}

// understand reads a document, by the schema where there is one.
func (s *Server) understand(text, name string, variables map[string]any) (*ast.QueryDocument, *ast.OperationDefinition, *failure) {
	invalid := func(err error, code string) *failure {
		wrong := &failure{Message: err.Error(), Extensions: map[string]any{"code": code}}
		if known := new(gqlerror.Error); errors.As(err, &known) {
			wrong.Message = known.Message
			for _, place := range known.Path {
				wrong.Path = append(wrong.Path, place)
			}
		}
		return wrong
	}
	document := s.documents[text]
	if document == nil {
		var err error
		if document, err = parser.ParseQuery(&ast.Source{Input: text}); err != nil {
			return nil, nil, invalid(err, "GRAPHQL_PARSE_FAILED")
		}
		if s.schema != nil {
			var wrong gqlerror.List
			if document, wrong = gqlparser.LoadQueryWithRules(s.schema, text, rules.NewDefaultRules()); len(wrong) > 0 {
				return nil, nil, invalid(wrong[0], "GRAPHQL_VALIDATION_FAILED")
			}
		}
		s.documents[text] = document
	}
	operation := document.Operations.ForName(name)
	if operation == nil {
		return nil, nil, invalid(errors.New("operation "+name+" not found"), "GRAPHQL_VALIDATION_FAILED")
	}
	if s.schema != nil {
		if _, err := validator.VariableValues(s.schema, operation, variables); err != nil {
			return nil, nil, invalid(err, "GRAPHQL_VALIDATION_FAILED")
		}
	}
	return document, operation, nil
}

// execution is one operation being answered.
type execution struct {
	document  *ast.QueryDocument
	variables map[string]any
	failures  []*failure
	logs      int // logs that were read; a request has a hundred queries
}

// project takes from an object what was selected.
func (e *execution) project(from object, selected ast.SelectionSet, path []any) map[string]any {
	into := map[string]any{}
	for _, selection := range selected {
		switch selection := selection.(type) {
		case *ast.Field:
			into[selection.Alias] = e.field(from, selection, append(slices.Clone(path), selection.Alias))
		case *ast.FragmentSpread:
			for name, value := range e.project(from, e.document.Fragments.ForName(selection.Name).SelectionSet, path) {
				into[name] = value
			}
		}
	}
	return into
}

func (e *execution) field(from object, field *ast.Field, path []any) any {
	value, known := from[field.Name]
	if !known {
		return e.fail(&failure{Message: `Cannot query field "` + field.Name + `".`}, path)
	}
	if find, asked := value.(found); asked {
		if field.Name == "recentEvents" {
			if e.logs++; e.logs > 97 {
				return e.fail(&failure{Message: "Request canceled: external call limit reached for this request. Total calls: 101"}, path)
			}
		}
		arguments := map[string]any{}
		for _, one := range field.Arguments {
			arguments[one.Name], _ = one.Value.Value(e.variables)
		}
		var wrong *failure
		if value, wrong = find(arguments); wrong != nil {
			return e.fail(wrong, path)
		}
	}
	switch value := value.(type) {
	case object:
		if value == nil {
			return nil
		}
		return e.project(value, field.SelectionSet, path)
	case []object:
		if value == nil {
			return nil
		}
		list := []any{}
		for n, one := range value {
			list = append(list, e.project(one, field.SelectionSet, append(slices.Clone(path), n)))
		}
		return list
	}
	return value
}

func (e *execution) fail(why *failure, path []any) any {
	why.Path = path
	e.failures = append(e.failures, why)
	return nil
}

func reply(w http.ResponseWriter, status int, data map[string]any, failures ...*failure) {
	answer := map[string]any{"data": data}
	if len(failures) > 0 {
		answer["errors"] = failures
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // whoever asked may have gone
}
