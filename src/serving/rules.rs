//! The rules of web servers and proxies by name, each with where nginx 1.22, Apache httpd 2.4 or the kernel has it.

use crate::sim::rule::Rule;

pub static REQUEST: Rule = Rule {
    name: "http/request",
    about: "A client sends one request at a time on a connection and reads the whole answer before the next.",
    source: "RFC 9112, section 9.3",
};

pub static ONE_AT_A_TIME: Rule = Rule {
    name: "server/one-unit",
    about: "What runs a request is a worker process with an event loop (nginx), a child (prefork) or a thread (worker, event) from a pool; none is forked for a request.",
    source: "ngx_worker_process_cycle; prefork.c child_main; worker.c, event.c worker_thread",
};

pub static PICK: Rule = Rule {
    name: "upstream/pick",
    about: "The balancing method picks one of the group's usable servers; weights, failures and running requests decide.",
    source: "ngx_http_upstream_get_round_robin_peer and the other methods' get",
};

pub static CLIENT_CLOSED: Rule = Rule {
    name: "nginx/499",
    about: "A client that leaves before its answer is logged with 499, and the connection to the upstream is closed too.",
    source: "ngx_http_upstream_check_broken_connection, proxy_ignore_client_abort off",
};

pub static BAD_GATEWAY: Rule = Rule {
    name: "proxy/gateway-status",
    about: "502: refused, reset or closed before a header, or no live upstream. 504: no connection or no byte in time.",
    source: "ngx_http_upstream_next",
};

pub static CLIENT_FAILURE: Rule = Rule {
    name: "http/no-answer",
    about: "A client without an answer knows only: refused, no connection in time, no answer in time, or closed.",
    source: "curl's exit codes 6, 7, 18, 28, 52",
};

pub static START: Rule = Rule {
    name: "nginx/start",
    about: "Names of upstream servers are resolved once, at start; a name that does not exist stops the start.",
    source: "ngx_http_upstream_init_round_robin",
};

pub static ERROR_LOG: Rule = Rule {
    name: "server/error-log",
    about: "What the server writes into its error log.",
    source: "ngx_log_error, ap_log_error",
};

pub static BACKLOG: Rule = Rule {
    name: "kernel/accept-queue-full",
    about: "The accept queue holds backlog + 1 connections; further handshakes are dropped, not refused: the client repeats its SYN after 1, 2, 3, 4, 5, 7 s.",
    source: "Linux tcp_conn_request, sk_acceptq_is_full, tcp_abort_on_overflow 0",
};

pub static ACCEPT_QUEUE: Rule = Rule {
    name: "kernel/accept-queue",
    about: "A connection is complete before anybody accepts it: it waits in the kernel, connected and unanswered.",
    source: "Linux inet_csk_reqsk_queue_add; accept(2)",
};

pub static SPARE: Rule = Rule {
    name: "httpd/spare-servers",
    about: "Once a second the parent counts idle workers: too few, it forks 1, 2, 4 ... up to 32; too many, it ends one.",
    source: "prefork.c, worker.c, event.c perform_idle_server_maintenance",
};

pub static CACHE: Rule = Rule {
    name: "proxy/cache",
    about: "A GET whose key is kept and fresh is answered without asking the upstream.",
    source: "ngx_http_file_cache_open, $upstream_cache_status",
};

pub static KEEPALIVE: Rule = Rule {
    name: "server/keepalive-timeout",
    about: "An idle connection is closed after its time. With prefork and worker it has held a process or thread until then.",
    source: "ngx_http_keepalive_handler; http_request.c ap_process_async_request",
};

pub static LIMIT_REQ: Rule = Rule {
    name: "nginx/limit-req",
    about: "A leaky bucket for each address: within burst a request waits for its turn, beyond it it gets 503.",
    source: "ngx_http_limit_req_lookup",
};

pub static WORKER_DIED: Rule = Rule {
    name: "nginx/worker-died",
    about: "A worker that dies loses exactly its own connections; the master forks another, and the listening socket lives on.",
    source: "ngx_reap_children",
};
