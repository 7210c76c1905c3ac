// SPDX-License-Identifier: MIT

// Go's lib/pq (own protocol code): README.md.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lib/pq"
)

type place struct {
	Host, User, Password, Dbname, Sslrootcert string
	Port                                      int
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func code(err error) string {
	var fault *pq.Error
	if errors.As(err, &fault) {
		return string(fault.Code)
	}
	return fmt.Sprint(err)
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

var none = context.Background()

func one(from querier, text string, values ...any) string {
	var found sql.NullString
	must(from.QueryRowContext(none, text, values...).Scan(&found))
	return found.String
}

func transactions(conn *sql.Conn) any {
	tx, err := conn.BeginTx(none, nil)
	must(err)
	_, err = tx.Exec("INSERT INTO items VALUES ($1, $2)", 1, "one")
	must(err)
	_, first := tx.Exec("INSERT INTO items VALUES ($1, $2)", 1, "again")
	_, second := tx.Exec("SELECT 1")
	must(tx.Rollback())
	return []any{code(first), code(second), one(conn, "SELECT count(*) FROM items")}
}

func prepared(conn *sql.Conn) any {
	plus, err := conn.PrepareContext(none, "SELECT $1::int + 1")
	must(err)
	defer plus.Close()
	total := 0
	for i := 0; i < 50; i++ {
		var n int
		must(plus.QueryRow(i).Scan(&n))
		total += n + len(one(conn, "SELECT $1::text || '!'", "aaa"))
	}
	return total
}

func copies(conn *sql.Conn) any {
	tx, err := conn.BeginTx(none, nil)
	must(err)
	in, err := tx.Prepare(pq.CopyIn("items", "id", "word"))
	must(err)
	for i := 0; i < 20000; i++ {
		_, err = in.Exec(i, fmt.Sprintf("line %d", i))
		must(err)
	}
	_, err = in.Exec()
	must(err)
	must(in.Close())
	var found string
	must(tx.QueryRow("SELECT count(*) || ' ' || max(word) FROM items").Scan(&found))
	must(tx.Rollback())
	return found
}

func cancelled(conn *sql.Conn) any {
	limit, stop := context.WithTimeout(none, 300*time.Millisecond)
	defer stop()
	_, err := conn.ExecContext(limit, "SELECT pg_sleep(20)")
	return code(err)
}

func notified(where string) any {
	listener := pq.NewListener(where, time.Second, time.Minute, nil)
	must(listener.Listen("channel"))
	defer listener.Close()
	db, err := sql.Open("postgres", where)
	must(err)
	defer db.Close()
	_, err = db.Exec("NOTIFY channel, 'payload'")
	must(err)
	select {
	case got := <-listener.Notify:
		return got.Extra
	case <-time.After(5 * time.Second):
		return "no notification in 5 s"
	}
}

func main() {
	var at place
	must(json.Unmarshal([]byte(os.Getenv("PGDECK_DRIVER")), &at))
	tls := "sslmode=disable"
	if at.Sslrootcert != "" {
		tls = "sslmode=verify-full sslrootcert=" + at.Sslrootcert
	}
	where := fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s %s", at.Host, at.Port, at.User,
		at.Password, at.Dbname, tls)
	db, err := sql.Open("postgres", where)
	must(err)
	conn, err := db.Conn(none)
	must(err)
	found := map[string]any{
		"who": one(conn, "SELECT current_user || ' ' || current_database()"),
		"types": one(conn, "SELECT ($1::int4, $2::int8, $3::numeric, $4::text, $5::bytea, $6::bool, $7::text)::text",
			1, int64(9007199254740993), "1.50", "größer", []byte{0, 255}, true, nil),
		"transactions": transactions(conn),
		"prepared":     prepared(conn),
		"copies":       copies(conn),
	}
	_, err = conn.ExecContext(none, "SET timezone = 'Asia/Tokyo'")
	must(err)
	found["settings"] = one(conn, "SHOW timezone")
	found["cancelled"] = cancelled(conn)
	found["notified"] = notified(where)
	conn.Close() // the driver gives it up after a cancel
	found["again"] = one(db, "SELECT 'here'")
	must(db.Close())
	text, err := json.MarshalIndent(found, "", " ")
	must(err)
	fmt.Println(string(text))
}
