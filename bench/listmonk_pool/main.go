// The SMTP pool that listmonk sends with, and the template engine that it fills with: no database, no tracking, no
// limits, so an upper bound of it. usage: listmonk_pool PORT MESSAGES CONNECTIONS SENDER SUBJECT HTML TEXT
// HTML and TEXT are templates; the seconds that all messages took are printed.
package main

import (
	"bytes"
	"fmt"
	"html/template"
	"log"
	"net/textproto"
	"os"
	"strconv"
	"sync"
	texttemplate "text/template"
	"time"

	"github.com/knadh/smtppool/v2"
)

type reader struct{ Name string }

func number(text string) int {
	found, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return found
}

func main() {
	port, count, connections := number(os.Args[1]), number(os.Args[2]), number(os.Args[3])
	sender, subject := os.Args[4], os.Args[5]
	html := template.Must(template.New("html").Parse(os.Args[6]))
	text := texttemplate.Must(texttemplate.New("text").Parse(os.Args[7]))
	pool, err := smtppool.New(smtppool.Opt{
		Host: "127.0.0.1", Port: port, MaxConns: connections, MaxMessageRetries: 1,
		IdleTimeout: 15 * time.Second, PoolWaitTimeout: 30 * time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	began := time.Now()
	numbers := make(chan int, connections)
	var workers sync.WaitGroup
	for range connections {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for each := range numbers {
				var inHTML, inText bytes.Buffer
				who := reader{fmt.Sprintf("Member %d", each)}
				if err := html.Execute(&inHTML, who); err != nil {
					log.Fatal(err)
				}
				if err := text.Execute(&inText, who); err != nil {
					log.Fatal(err)
				}
				headers := textproto.MIMEHeader{}
				headers.Set("List-Unsubscribe", "<https://society.example/opt-out/abc>")
				headers.Set("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
				headers.Set("Precedence", "bulk")
				headers.Set("Message-Id", fmt.Sprintf("<%d.pool@society.example>", each))
				message := smtppool.Email{
					From: sender, To: []string{fmt.Sprintf("m%d@members.example", each)}, Subject: subject,
					HTML: inHTML.Bytes(), Text: inText.Bytes(), Headers: headers,
				}
				if err := pool.Send(message); err != nil {
					log.Fatal(err)
				}
			}
		}()
	}
	for each := 0; each < count; each++ {
		numbers <- each
	}
	close(numbers)
	workers.Wait()
	fmt.Println(time.Since(began).Seconds())
}
