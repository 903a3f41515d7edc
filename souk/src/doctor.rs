//! `souk doctor`: what is wrong here, in one look.

use crate::market::{ALL, ServiceName};
use crate::settings::Settings;

/// The files a process should be allowed to open: each subscriber is one.
#[cfg(target_os = "linux")]
const OPEN_FILES_MIN: u64 = 4_096;

/// One thing looked at.
struct Finding {
    what: String,
    /// What is wrong with it.
    wrong: Option<String>,
}

/// Looks at the folder, the key, the databases and the limits of the system; fails when something is wrong.
#[expect(clippy::print_stdout, reason = "the command's own output")]
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    let mut findings = vec![folder(settings)];
    for service in ALL {
        findings.push(database(settings, service).await);
    }
    findings.extend(open_files());
    for finding in &findings {
        match &finding.wrong {
            None => println!("ok     {}", finding.what),
            Some(wrong) => println!("WRONG  {}: {wrong}", finding.what),
        }
    }
    let wrong = findings.iter().filter(|finding| finding.wrong.is_some()).count();
    anyhow::ensure!(wrong == 0, "{wrong} of {} things are wrong", findings.len());
    Ok(())
}

fn folder(settings: &Settings) -> Finding {
    let what = format!("data folder and master key in {}", crate::cli::shown(&settings.data_dir));
    Finding { what, wrong: settings.plan(&ALL).err().map(|error| format!("{error:#}")) }
}

async fn database(settings: &Settings, service: ServiceName) -> Finding {
    let wrong = match settings.database(service) {
        Err(error) => Some(format!("{error:#}")),
        Ok(url) => answers(service, &url).await.err().map(|error| error.to_string()),
    };
    Finding { what: format!("database of {service}"), wrong }
}

async fn answers(service: ServiceName, url: &str) -> Result<(), sea_orm::DbErr> {
    let db = chassis::Database::open(service.as_str(), url).await?;
    db.ping().await?;
    db.close().await
}

#[cfg(target_os = "linux")]
fn open_files() -> Option<Finding> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    let soft = line.split_whitespace().nth(3)?.parse::<u64>().ok()?;
    let wrong = (soft < OPEN_FILES_MIN).then(|| format!("{soft} is little; `ulimit -n {OPEN_FILES_MIN}`"));
    Some(Finding { what: "limit of open files".into(), wrong })
}

#[cfg(not(target_os = "linux"))]
fn open_files() -> Option<Finding> {
    None
}
