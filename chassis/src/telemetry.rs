//! Logs, traces and metrics of a process. A trace goes from the client's request to the consumer's transaction: its id
//! travels in headers between processes and in the envelope between services.

use std::io::IsTerminal;
use std::sync::OnceLock;

use axum::http::HeaderMap;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Metadata, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{FilterExt, FilterFn, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::Failure;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// What a process tells about itself, and where to.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// Directives as `tracing` reads them: `info,souk=debug`.
    pub filter: String,
    pub format: LogFormat,
    /// An OTLP/HTTP collector for traces, such as `http://localhost:4318/v1/traces`.
    pub otlp_endpoint: Option<String>,
}

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Keeps the traces flowing; shut down at the end of the process.
pub struct Guard(SdkTracerProvider);

impl Drop for Guard {
    fn drop(&mut self) {
        // A collector that is away loses the last spans; the process ends all the same.
        _ = self.0.shutdown();
    }
}

impl Telemetry {
    /// Starts logs, traces and metrics. Once a process.
    ///
    /// # Errors
    /// The filter or the endpoint cannot be read, or telemetry runs already.
    pub fn start(&self) -> Result<Guard, Failure> {
        let provider = self.provider()?;
        let filter = EnvFilter::try_new(&self.filter)?;
        let collected = self.otlp_endpoint.is_some();
        let traces = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("souk"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(LevelFilter::INFO.and(any_level(move |of| is_traced(of, collected))));
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal());
        let lines = match self.format {
            LogFormat::Pretty => lines.with_target(false).compact().boxed(),
            LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).boxed(),
        };
        let lines = lines.with_filter(filter.and(any_level(is_said)));
        tracing_subscriber::registry().with(traces).with(lines).try_init()?;
        let recorder = PrometheusBuilder::new().install_recorder()?;
        _ = METRICS.set(recorder);
        Ok(Guard(provider))
    }

    /// Without a collector spans are made all the same: their ids tie log lines and events together.
    fn provider(&self) -> Result<SdkTracerProvider, Failure> {
        let resource = Resource::builder().with_service_name("souk").build();
        let provider = SdkTracerProvider::builder().with_resource(resource);
        Ok(match &self.otlp_endpoint {
            None => provider.build(),
            Some(endpoint) => {
                let exporter = opentelemetry_otlp::SpanExporter::builder()
                    .with_http()
                    .with_endpoint(endpoint)
                    .build()?;
                provider.with_batch_exporter(exporter).build()
            }
        })
    }
}

/// What the router calls the spans of its steps, and of a request as a whole.
const ROUTER: &str = "hive-router";
const REQUEST: &str = "http.server";
/// Loaders open two spans for each key: more than all others of a request.
const LOADERS: &str = "async_graphql";

/// A filter that leaves it to others which levels count. Without the hint it would be asked for every level there is.
fn any_level<F: Fn(&Metadata<'_>) -> bool>(fits: F) -> FilterFn<F> {
    filter_fn(fits).with_max_level_hint(LevelFilter::TRACE)
}

/// Whether the trace has a span for it. Steps within the router and what happens in a span are for a collector: without
/// one, only ids that travel on are of use.
fn is_traced(of: &Metadata<'_>, collected: bool) -> bool {
    match collected {
        true => !of.target().starts_with(LOADERS),
        false => of.is_span() && is_said(of),
    }
}

/// Whether log lines name it: a line tells which request it belongs to, not which step.
fn is_said(of: &Metadata<'_>) -> bool {
    let is_step = of.target() == ROUTER && of.name() != REQUEST;
    !of.is_span() || !(is_step || of.target().starts_with(LOADERS))
}

/// The metrics in Prometheus's text format; empty when telemetry was not started.
pub fn render_metrics() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Lets `span` continue the trace that the headers name.
pub fn continue_from(span: &Span, headers: &HeaderMap) {
    let parent = TraceContextPropagator::new().extract(&Headers(headers));
    // A span that nobody records has no parent either.
    _ = span.set_parent(parent);
}

/// The W3C trace context of the current span, to travel with an event. `None`: nobody traces.
pub fn traceparent() -> Option<String> {
    let mut carrier = Carrier(None);
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.0
}

struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}

struct Carrier(Option<String>);

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        if key == "traceparent" {
            self.0 = Some(value);
        }
    }
}
