//! A real MQTT 5 broker, and a client of other people's making.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);
/// A name and a password that the broker may want.
pub const LOGIN: (&str, &str) = ("trace", "a password 密码");

/// A broker in a folder of its own, killed when this is dropped.
pub struct Broker {
    folder: PathBuf,
    pub port: u16,
    process: Child,
}

impl Broker {
    /// Starts one on a free port; with a login, nobody else is let in.
    pub fn start(folder: &Path, wants_login: bool) -> Self {
        fs::create_dir_all(folder).unwrap();
        let folder = fs::canonicalize(folder).unwrap();
        let users = folder.join("users");
        if wants_login {
            let (name, password) = LOGIN;
            let made = Command::new("mosquitto_passwd")
                .args(["-c", "-b"])
                .arg(&users)
                .args([name, password])
                .status();
            assert!(made.unwrap().success());
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let access = match wants_login {
            true => format!("allow_anonymous false\npassword_file {}", users.display()),
            false => "allow_anonymous true".into(),
        };
        let settings = format!(
            "listener {port} 127.0.0.1\n{access}\nuser root\npersistence true\n\
             persistence_location {}/\nmax_queued_messages 100000\n",
            folder.display()
        );
        fs::write(folder.join("settings"), settings).unwrap();
        let process = run(&folder);
        let broker = Self {
            folder,
            port,
            process,
        };
        broker.wait();
        broker
    }

    /// Ends as an operator ends it, and starts again at the same port.
    pub fn restart(&mut self) {
        let id = self.process.id().to_string();
        let told = Command::new("kill").arg(id).status();
        assert!(told.unwrap().success());
        self.process.wait().unwrap();
        self.process = run(&self.folder);
        self.wait();
    }

    fn wait(&self) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(started.elapsed() < PATIENCE, "the broker does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The flag of the server for this broker.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Publishes a file, acknowledged by the broker alone.
    pub fn publish(&self, topic: &str, file: &Path, properties: &[(&str, &str)]) {
        let mut command = self.client("mosquitto_pub", topic);
        command.arg("-f").arg(file);
        for (name, value) in properties {
            command.args(["-D", "publish"]);
            match *name {
                "content-type" | "response-topic" => command.args([name, value]),
                _ => command.args(["user-property", name, value]),
            };
        }
        assert!(command.status().unwrap().success());
    }

    /// Publishes a file and waits for the answer: its status and what it says.
    pub fn ask(&self, topic: &str, file: &Path, properties: &[(&str, &str)]) -> (u16, Value) {
        const ANSWERS: &str = "answers/1";
        let listen = |more: &[&str]| {
            let mut command = self.client("mosquitto_sub", ANSWERS);
            let output = command.args(["-c", "-i", "asker"]).args(more).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        // The broker keeps the answer until it is fetched.
        listen(&["-E"]);
        let asked = [&[("response-topic", ANSWERS)], properties].concat();
        self.publish(topic, file, &asked);
        let answer = listen(&["-C", "1", "-W", "30", "-F", "%P %p"]);
        let answered = answer
            .strip_prefix("status:")
            .and_then(|it| it.split_once(' '));
        let (status, content) = answered.unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let status = status.parse().unwrap();
        (status, serde_json::from_str(content).unwrap())
    }

    fn client(&self, program: &str, topic: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.args(["-V", "5", "-q", "1", "-t", topic]);
        command
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(folder: &Path) -> Child {
    Command::new("mosquitto")
        .arg("-c")
        .arg(folder.join("settings"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("mosquitto, which .ci/run installs: {error}"))
}
