//! Texts for the tests.

/// The scenario that the language's own page shows.
pub const LOST: &str = r#"lab 1
title "acks=1: acknowledged, then gone"
about "The leader answers before anyone else has the record. If it dies in that moment, the record dies with it."
seed 7

controller c1
broker b1
broker b2
broker b3
topic loan_request partitions=1 replicas=b1,b2,b3
producer web acks=1

at 1s     produce web loan_request key=kim "300"
at 2s     cut b1 -> b2 b3                      # the followers hear nothing new from the leader
at 2.1s   produce web loan_request key=lee "500"
at 2.2s   crash b1
at 15s    note "The controller has fenced b1 and elected b2."
          expect leader loan_request/0 = b2
          expect fate "500" = acknowledged, lost
at 16s    heal
          restart b1
eventually isr loan_request/0 = b1 b2 b3 within 30s
always    one-leader-per-epoch
"#;

/// One with both systems.
pub const BOTH: &str = r#"lab 1
title "The same orders through Kafka and RabbitMQ"
controller c1
broker b1..b3
topic orders partitions=3 replicas=3
producer web acks=all
consumer k1 group=risk topics=orders work=80ms
consumer k2 group=risk topics=orders work=80ms

rabbit r1
exchange orders type=topic durable
queue risk durable
queue audit durable
bind orders -> risk key=order.high
bind orders -> audit key=#
publisher api confirm
subscriber s1 queue=risk prefetch=10 work=80ms

feed orders rate=20/s keys=50 until=30s -> web api
at 10s   crash k1 s1
at 20s   restart s1
at 60s   expect count lost = 0
         expect count delivered-twice kafka > 0
"#;

/// One with a block and a tool inside a container.
pub const COMPOSE: &str = r#"lab 1
title "A container that cannot find Kafka"
compose <<END
services:
  kafka:
    image: wurstmeister/kafka
    environment:
      KAFKA_CREATE_TOPICS: "loan_request:1:1"
  worker:
    image: loan-worker
END
at 10s   worker $ kafka-console-consumer.sh --bootstrap-server kafka:9092 --topic loan_request --from-beginning
at 12s   expect output contains "Connection to node"
"#;

/// A sentence of each kind, all of which can be read.
pub const ALL: &str = r#"# Before the version only remarks may stand.

lab 1
title "Everything"
about <<END
Two lines,
of prose.
END
seed 18446744073709551615
view lanes tab=ledger topic=loan_request
rule kip-101 off
note "begins"
host h1 h2 rack=a
controller c1 node.id=100
broker b1..b4 on=h1 min.insync.replicas=2 log.flush.interval.messages=1
broker b9 rack=b
network n1 h1 b9
connect h2 n1
disconnect h2 n1
port h1 29092:9092
port h1 127.0.0.1:8080:80
address laptop 192.168.1.10
rack z b1 b2
link b1 <-> b2 latency=2ms
topic loan_request partitions=3 replicas=3 min.insync.replicas=2 retention.ms=10s
topic pinned replicas=b1,b2,b3;b2,b3,b1 cleanup.policy=compact,delete
producer web api acks=all linger.ms=5ms batch.size=16KiB on=h2
consumer w1..w3 group=loans topics=loan_request,pinned work=50ms poll=manual commit=after enable.auto.commit=false
consumer sh1 sh2 group=shares topics=pinned type=share release="a b" reject=bad share.acknowledgement.mode=explicit
consumer free assign=pinned/0,pinned/1 auto.offset.reset=earliest
feed loan_request rate=10/s keys=20 until=60s count=100 size=1KiB -> web api
rabbit r1
exchange loans type=topic durable alternate-exchange=unrouted
exchange unrouted type=fanout
queue risk durable x-message-ttl=5s x-max-length=100 x-dead-letter-exchange=unrouted x-odd="5"
queue late exclusive auto-delete
bind loans -> risk key=loan.*.high
bind loans -> unrouted key=#
bind unrouted -> late x-match=any header.kind=loan header.size=5
publisher pub1 pub2 confirm mandatory persistent on=h2
subscriber s1..s3 queue=risk prefetch=10 work=50ms ack=manual priority=-1 exclusive=true fails="bad one" on-failure=dead-letter
publish pub1 loans key=loan.kim.high count=3 delivery_mode=2 expiration=5s priority=9 header.kind=loan header.urgent=true "300"
publish pub2 amq.default key=risk
start pub1 loans rate=10/s routing=a.b,a.c
ack s1 s2
ack s1 multiple
nack s1 multiple requeue=false
reject s1
unbind loans -> risk key=loan.*.high
purge risk
delete queue late
delete exchange unrouted
nginx ng1 worker_processes=2 limit_req=10r/s,burst=20,nodelay
httpd apache mpm=prefork MaxRequestWorkers=150 on=h2
app a1 topic=loan_request producer=web threads=4
proxy squid X-Forwarded-For=on proxy_cache_valid=10m
upstream ng1/loans method=least_conn keepalive=16
server ng1/loans a1 weight=5 backup=on
location ng1 /loan proxy_pass=http://loans proxy_read_timeout=3s
browser people target=ng1 clients=5 think=250ms proxy=squid
request people POST /loan "kim" body=100 count=2
reload ng1
kill-worker ng1
set a1 work=5s
at 1s  produce web loan_request key="k \"1\"" count=5 header.source=web header.x="a b" "죽음 🦀"
produce api pinned/1 null key=k
produce api pinned
start web loan_request rate=30/m
start w1
stop web loan_request w1
after 250ms  poll w1 timeout=1s
commit w1 w2 async
commit w1 loan_request/0=5 loan_request/1=0
acknowledge sh1 pinned/0=3 pinned/0=4
acknowledge sh1 sh2
acknowledge sh1 release pinned/1=0
acknowledge sh1 sh2 reject
acknowledge sh1 renew pinned/0=3
begin web
end web abort
end web offsets=w1
seek w1 loan_request/0 5
seek w1 loan_request beginning
seek w1 loan_request/2 end
subscribe w1 loan_request pinned
assign free pinned/0
unsubscribe w1 w2
alter topic loan_request partitions=6 unset=retention.ms min.insync.replicas=1
alter broker b1 log.cleaner.threads=2
alter brokers unset=log.cleaner.threads
delete topic pinned
delete group loans
delete records loan_request/0 before=5
elect preferred
elect unclean loan_request/0 loan_request/1
reassign loan_request/0 replicas=b2,b3,b4
reassign loan_request/0 cancel
set w1 w2 work=500ms max.poll.records=1
$ kafka-topics.sh --bootstrap-server b1:9092 --describe # not a comment
b1 $ echo "<<END"
type "300"
type b1 "a\tb"
press ctrl-c
press ctrl-d b1
crash b1 b2
power-off b1
shutdown w1
restart b1 b2
freeze w2
thaw w2
remove b9
cut b1 -> b2 b3
cut b1 <-> b2
cut b1 c1 | b2 b3
heal b1 -> b2
heal
delay b1 -> b2 200ms
loss b1 -> b2 0.5%
disk b1 slow=50ms
disk b1 b2 full
disk b1 wipe
disk b1 wipe loan_request/0
disk b1 ok
drop ProduceResponse b1 -> web
hold next Fetch b2 -> b1
release
release Fetch b2 -> b1 nth=2
delay any b1 -> b2 1s
duplicate ProduceRequest web -> b1
reorder next ProduceRequest web -> b1
expect leader loan_request/0 = none
expect epoch loan_request/0 >= 3
expect isr loan_request/0 contains b1
expect elr loan_request/0 = none
expect replicas loan_request/0 = b1,b2,b3
expect leo loan_request/0@b1 = 5
expect hw loan_request/0 != 4
expect lso loan_request/0 < 4
expect start loan_request/0@b2 <= 4
expect log loan_request/0@b1 = "300", "5,0", "none"
expect log pinned/0 = none
expect state b1 = powered-off
expect state group loans = Stable
expect state transaction tx = Ongoing
expect assignment w1 = loan_request/0 loan_request/1
expect position w1 loan_request/0 = none
expect committed loans loan_request/0 = 5
expect lag loans > 0
expect lag w1 loan_request/0=0
expect coordinator loans = b2
expect generation loans = 3
expect error web = NOT_ENOUGH_REPLICAS
expect fate "500" = acknowledged, lost
expect count delivered-twice kafka > 0
expect ready risk = 3
expect unacked risk >= 0
expect answer "kim" = 200
expect tried "kim" = a1
expect processes ng1 = 3
expect threads ng1 = 3
expect memory ng1 < 10000
expect queued ng1 = 0
expect accepted ng1 >= 1
expect asked people > 0
expect answered people > 0
expect unanswered people = 0
expect p50 people < 100
expect p95 people < 100
expect p99 people < 100
expect consumers risk = 1
expect error pub1 = NOT_FOUND
expect reach web b1 = yes
expect controller = c1
expect output contains "Leader: 2"
expect output = "a b" "c"
expect exit = none
never count lost > 0
eventually isr loan_request/0 = b1 b2 b3 within 30s
always no-committed-record-lost
at 10s
# the end
"#;
