//! The keys of a compose file with their shapes (compose-spec as in compose-go 2.16.2), in the order of the model.

use super::schema::{BOOLEAN, INTEGER, Kind, NULL, NUMBER, Naming, Object, STRING, Shape};
use Shape::{Any, Either, List, Names, One, Word};

const TEXT: Shape = One(STRING, Kind::Text);
const INT: Shape = One(INTEGER | STRING, Kind::Int);
const DECIMAL: Shape = One(NUMBER | STRING, Kind::Decimal);
const BOOL: Shape = One(BOOLEAN | STRING, Kind::Bool);
const BYTES: Shape = One(INTEGER | STRING, Kind::Bytes);
const DURATION: Shape = One(STRING, Kind::Duration);
const LABEL: Shape = One(STRING | NUMBER | BOOLEAN | NULL, Kind::Text);
const TEXTS: Shape = List(&TEXT, true);
const TEXT_OR_LIST: Shape = Either(&[TEXT, TEXTS]);
const LIST_OR_MAP: Shape = Either(&[Names(Naming::Free, &LABEL), TEXTS]);
const OPTIONS: Shape = Names(Naming::Free, &One(STRING | NUMBER | NULL, Kind::Text));
const COMMAND: Shape = Either(&[One(NULL, Kind::Text), TEXT, List(&TEXT, false)]);

const fn open(keys: &'static [(&'static str, Shape)]) -> Object {
    Object {
        keys,
        required: &[],
        nullable: false,
        unevaluated: false,
    }
}

const fn or_null(keys: &'static [(&'static str, Shape)]) -> Object {
    Object {
        nullable: true,
        ..open(keys)
    }
}

/// The whole file.
pub static FILE: Shape = Shape::Object(&ROOT);

static ROOT: Object = open(&[
    ("name", TEXT),
    ("version", TEXT),
    ("services", Names(Naming::Strict, &Shape::Object(&SERVICE))),
    ("networks", Names(Naming::Strict, &Shape::Object(&NETWORK))),
    ("volumes", Names(Naming::Strict, &Shape::Object(&VOLUME))),
    ("secrets", Names(Naming::Strict, &Shape::Object(&FILE_OBJECT))),
    ("configs", Names(Naming::Strict, &Shape::Object(&FILE_OBJECT))),
    ("include", Any),
    ("models", Any),
    ("jobs", Any),
]);

/// The kinds of resources beside services.
pub static RESOURCES_BY_KIND: [(&str, &Object); 4] = [
    ("networks", &NETWORK),
    ("volumes", &VOLUME),
    ("configs", &FILE_OBJECT),
    ("secrets", &FILE_OBJECT),
];

pub static SERVICE: Object = Object {
    unevaluated: true,
    ..open(&[
        ("profiles", TEXTS),
        ("deploy", Shape::Object(&DEPLOY)),
        ("develop", Any),
        ("restart", TEXT),
        ("scale", INT),
        ("attach", BOOL),
        ("container_name", Shape::ContainerName),
        ("provider", Any),
        ("extends", Any),
        ("external_links", TEXTS),
        ("links", TEXTS),
        ("pre_start", Any),
        ("post_start", Any),
        ("pre_stop", Any),
        ("annotations", LIST_OR_MAP),
        ("blkio_config", Any),
        ("cap_add", TEXTS),
        ("cap_drop", TEXTS),
        ("cgroup_parent", TEXT),
        ("cgroup", TEXT),
        ("cpu_count", INT),
        ("cpu_percent", DECIMAL),
        ("cpu_period", INT),
        ("cpu_quota", INT),
        ("cpu_rt_period", INT),
        ("cpu_rt_runtime", INT),
        ("cpus", DECIMAL),
        ("cpuset", TEXT),
        ("cpu_shares", INT),
        ("command", COMMAND),
        ("configs", List(&FILE_MOUNT, true)),
        ("credential_spec", Any),
        ("device_cgroup_rules", TEXTS),
        ("devices", List(&Either(&[TEXT, Shape::Object(&DEVICE)]), false)),
        ("dns", TEXT_OR_LIST),
        ("dns_opt", TEXTS),
        ("dns_search", TEXT_OR_LIST),
        ("domainname", TEXT),
        ("entrypoint", COMMAND),
        ("environment", LIST_OR_MAP),
        ("env_file", ENV_FILE),
        ("extra_hosts", EXTRA_HOSTS),
        ("group_add", List(&One(STRING | NUMBER, Kind::Text), true)),
        ("gpus", Any),
        ("hostname", TEXT),
        ("image", TEXT),
        ("init", BOOL),
        ("ipc", TEXT),
        ("isolation", TEXT),
        ("labels", LIST_OR_MAP),
        ("label_file", TEXT_OR_LIST),
        ("logging", Shape::Object(&LOGGING)),
        ("mem_limit", One(NUMBER | STRING, Kind::Bytes)),
        ("mem_reservation", BYTES),
        ("memswap_limit", One(NUMBER | STRING, Kind::Bytes)),
        ("mem_swappiness", INT),
        ("mac_address", TEXT),
        ("models", Any),
        ("network_mode", TEXT),
        (
            "networks",
            Either(&[TEXTS, Names(Naming::Strict, &Shape::Object(&MEMBER))]),
        ),
        ("oom_kill_disable", BOOL),
        ("oom_score_adj", INT),
        ("pid", One(STRING | NULL, Kind::Text)),
        ("pids_limit", One(NUMBER | STRING, Kind::Int)),
        ("platform", TEXT),
        ("privileged", BOOL),
        ("pull_policy", TEXT),
        ("pull_refresh_after", TEXT),
        ("read_only", BOOL),
        ("runtime", TEXT),
        ("secrets", List(&FILE_MOUNT, true)),
        ("security_opt", TEXTS),
        ("shm_size", One(NUMBER | STRING, Kind::Bytes)),
        ("stop_grace_period", DURATION),
        ("stop_signal", TEXT),
        ("storage_opt", Any),
        ("sysctls", LIST_OR_MAP),
        ("tmpfs", TEXT_OR_LIST),
        ("ulimits", Names(Naming::Free, &Either(&[INT, Shape::Object(&ULIMIT)]))),
        ("umask", Any),
        ("use_api_socket", One(BOOLEAN, Kind::Bool)),
        ("user", TEXT),
        ("userns_mode", TEXT),
        ("uts", TEXT),
        ("volumes", List(&Either(&[TEXT, Shape::Object(&MOUNT)]), true)),
        ("volumes_from", TEXTS),
        ("working_dir", TEXT),
        ("build", Either(&[TEXT, Shape::Object(&BUILD)])),
        ("depends_on", DEPENDS_ON),
        ("expose", List(&One(STRING | NUMBER, Kind::Text), true)),
        ("healthcheck", Shape::Object(&HEALTHCHECK)),
        ("ports", PORTS),
        ("stdin_open", BOOL),
        ("tty", BOOL),
    ])
};

const PORTS: Shape = List(&Either(&[One(NUMBER, Kind::Text), TEXT, Shape::Object(&PORT)]), true);
static PORT: Object = open(&[
    ("name", TEXT),
    ("mode", TEXT),
    ("host_ip", TEXT),
    ("target", INT),
    ("published", One(STRING | INTEGER, Kind::Text)),
    ("protocol", TEXT),
    ("app_protocol", TEXT),
]);

const DEPENDS_ON: Shape = Either(&[TEXTS, Names(Naming::Strict, &Shape::Object(&DEPENDENCY))]);
static DEPENDENCY: Object = Object {
    required: &["condition"],
    ..open(&[
        (
            "condition",
            Word(&["service_started", "service_healthy", "service_completed_successfully"]),
        ),
        ("restart", BOOL),
        ("required", One(BOOLEAN, Kind::Bool)),
    ])
};

static DEVICE: Object = Object {
    required: &["source"],
    ..open(&[("source", TEXT), ("target", TEXT), ("permissions", TEXT)])
};

static HEALTHCHECK: Object = open(&[
    ("test", Either(&[TEXT, List(&TEXT, false)])),
    ("timeout", DURATION),
    ("interval", DURATION),
    ("retries", One(NUMBER | STRING, Kind::Int)),
    ("start_period", DURATION),
    ("start_interval", DURATION),
    ("disable", BOOL),
]);

static LOGGING: Object = open(&[("driver", TEXT), ("options", OPTIONS)]);
static ULIMIT: Object = Object {
    required: &["soft", "hard"],
    ..open(&[("soft", INT), ("hard", INT)])
};

static MEMBER: Object = or_null(&[
    ("aliases", TEXTS),
    ("driver_opts", OPTIONS),
    ("gw_priority", One(NUMBER, Kind::Int)),
    ("interface_name", TEXT),
    ("ipv4_address", TEXT),
    ("ipv6_address", TEXT),
    ("link_local_ips", TEXTS),
    ("mac_address", TEXT),
    ("priority", One(NUMBER, Kind::Int)),
]);

static NETWORK: Object = or_null(&[
    ("name", TEXT),
    ("driver", TEXT),
    ("driver_opts", OPTIONS),
    ("ipam", Shape::Object(&IPAM)),
    ("external", EXTERNAL),
    ("internal", BOOL),
    ("attachable", BOOL),
    ("labels", LIST_OR_MAP),
    ("enable_ipv4", BOOL),
    ("enable_ipv6", BOOL),
]);
static IPAM: Object = open(&[
    ("driver", TEXT),
    ("config", List(&Shape::Object(&POOL), false)),
    ("options", OPTIONS),
]);
static POOL: Object = open(&[
    ("subnet", TEXT),
    ("gateway", TEXT),
    ("ip_range", TEXT),
    ("aux_addresses", Names(Naming::Free, &TEXT)),
]);
const EXTERNAL: Shape = Either(&[BOOL, Shape::Object(&EXTERNAL_NAME)]);
static EXTERNAL_NAME: Object = open(&[("name", TEXT)]);

static VOLUME: Object = or_null(&[
    ("name", TEXT),
    ("driver", TEXT),
    ("driver_opts", OPTIONS),
    ("external", EXTERNAL),
    ("labels", LIST_OR_MAP),
]);
static FILE_OBJECT: Object = open(&[
    ("name", TEXT),
    ("file", TEXT),
    ("environment", TEXT),
    ("content", TEXT),
    ("external", EXTERNAL),
    ("labels", LIST_OR_MAP),
    ("driver", TEXT),
    ("driver_opts", OPTIONS),
    ("template_driver", TEXT),
]);
const FILE_MOUNT: Shape = Either(&[TEXT, Shape::Object(&FILE_REFERENCE)]);
static FILE_REFERENCE: Object = open(&[
    ("source", TEXT),
    ("target", TEXT),
    ("uid", TEXT),
    ("gid", TEXT),
    ("mode", One(NUMBER | STRING, Kind::Text)),
]);

static MOUNT: Object = Object {
    required: &["type"],
    ..open(&[
        ("type", Word(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"])),
        ("source", TEXT),
        ("target", TEXT),
        ("read_only", BOOL),
        ("consistency", TEXT),
        ("bind", Shape::Object(&BIND)),
        ("volume", Shape::Object(&VOLUME_OPTIONS)),
        ("tmpfs", Shape::Object(&TMPFS)),
        ("image", Any),
    ])
};
static BIND: Object = open(&[
    ("selinux", Word(&["z", "Z"])),
    ("propagation", TEXT),
    ("create_host_path", BOOL),
    ("recursive", Word(&["enabled", "disabled", "writable", "readonly"])),
]);
static VOLUME_OPTIONS: Object = open(&[("labels", LIST_OR_MAP), ("nocopy", BOOL), ("subpath", TEXT)]);
static TMPFS: Object = open(&[("size", BYTES), ("mode", One(NUMBER | STRING, Kind::Int))]);

const ENV_FILE: Shape = Either(&[TEXT, List(&Either(&[TEXT, Shape::Object(&ENV_FILE_ENTRY)]), false)]);
static ENV_FILE_ENTRY: Object = Object {
    required: &["path"],
    ..open(&[("path", TEXT), ("required", BOOL), ("format", TEXT)])
};
const EXTRA_HOSTS: Shape = Either(&[Names(Naming::Free, &Either(&[TEXT, List(&TEXT, false)])), TEXTS]);

static BUILD: Object = open(&[
    ("context", TEXT),
    ("dockerfile", TEXT),
    ("dockerfile_inline", TEXT),
    ("entitlements", List(&TEXT, false)),
    ("args", LIST_OR_MAP),
    ("provenance", One(STRING | BOOLEAN, Kind::Text)),
    ("sbom", One(STRING | BOOLEAN, Kind::Text)),
    ("ssh", LIST_OR_MAP),
    ("labels", LIST_OR_MAP),
    ("cache_from", List(&TEXT, false)),
    ("cache_to", List(&TEXT, false)),
    ("no_cache", BOOL),
    ("additional_contexts", LIST_OR_MAP),
    ("pull", BOOL),
    ("extra_hosts", EXTRA_HOSTS),
    ("isolation", TEXT),
    ("network", TEXT),
    ("target", TEXT),
    ("secrets", List(&FILE_MOUNT, true)),
    ("shm_size", BYTES),
    ("tags", List(&TEXT, false)),
    ("ulimits", Any),
    ("platforms", List(&TEXT, false)),
    ("privileged", BOOL),
]);

static DEPLOY: Object = or_null(&[
    ("mode", TEXT),
    ("replicas", INT),
    ("labels", LIST_OR_MAP),
    ("update_config", Any),
    ("rollback_config", Any),
    ("resources", Shape::Object(&RESOURCES)),
    ("restart_policy", Shape::Object(&RESTART_POLICY)),
    ("placement", Any),
    ("endpoint_mode", TEXT),
]);
static RESOURCES: Object = open(&[
    ("limits", Shape::Object(&RESOURCE)),
    ("reservations", Shape::Object(&RESOURCE)),
]);
static RESOURCE: Object = open(&[
    ("cpus", DECIMAL),
    ("memory", One(STRING, Kind::Bytes)),
    ("pids", INT),
    ("devices", Any),
    ("generic_resources", Any),
]);
static RESTART_POLICY: Object = open(&[
    ("condition", TEXT),
    ("delay", DURATION),
    ("max_attempts", INT),
    ("window", DURATION),
]);
