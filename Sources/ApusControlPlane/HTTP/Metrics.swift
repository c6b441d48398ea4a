package import ApusCore
package import ApusMesh
internal import Synchronization

/// Counters of the control plane, with Istio's names where the meaning is the same.
package final class Metrics: Sendable {
    package enum Counter: String, Sendable, CaseIterable {
        case inboundUpdates = "pilot_inbound_updates"
        case wokenStreams = "apus_woken_streams"
        case xdsRejects = "pilot_total_xds_rejects"
        case expiredNonces = "pilot_xds_expired_nonce"
        case writeTimeouts = "pilot_xds_write_timeout"
        case certificateRequests = "citadel_server_csr_count"
        case certificatesIssued = "citadel_server_success_cert_issuance_count"
    }

    package enum Gauge: String, Sendable, CaseIterable {
        case connectedStreams = "pilot_xds"
        case rejectedConfigs = "pilot_total_rejected_configs"
        case services = "pilot_services"
        case virtualServices = "pilot_virt_services"
        case endpoints = "apus_endpoints"
    }

    package enum Histogram: String, Sendable, CaseIterable {
        case pushTime = "pilot_xds_push_time"
        case convergenceTime = "pilot_proxy_convergence_time"
    }

    private static let bounds: [Double] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]

    private struct Buckets {
        var counts = [Int](repeating: 0, count: Metrics.bounds.count + 1)
        var sum = 0.0
    }

    private struct State {
        var counters: [Counter: Int] = [:]
        var gauges: [Gauge: Int] = [:]
        var histograms: [Histogram: Buckets] = [:]
        var pushes: [ResourceType: Int] = [:]
        var pushedBytes: [ResourceType: Int] = [:]
        var pushedResources: [ResourceType: Int] = [:]
        var rejects: [ResourceType: Int] = [:]
        var triggers: [String: Int] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package func add(_ counter: Counter, _ amount: Int = 1) {
        state.withLock { $0.counters[counter, default: 0] += amount }
    }

    package func set(_ gauge: Gauge, _ value: Int) { state.withLock { $0.gauges[gauge] = value } }

    package func observe(_ histogram: Histogram, since start: ContinuousClock.Instant) {
        observe(histogram, ContinuousClock.now - start)
    }

    package func observe(_ histogram: Histogram, _ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let value = Double(seconds) + Double(attoseconds) / 1e18
        state.withLock { state in
            var buckets = state.histograms[histogram] ?? Buckets()
            buckets.counts[Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count] += 1
            buckets.sum += value
            state.histograms[histogram] = buckets
        }
    }

    package func pushed(_ type: ResourceType, resources: Int, bytes: Int) {
        state.withLock {
            $0.pushes[type, default: 0] += 1
            $0.pushedResources[type, default: 0] += resources
            $0.pushedBytes[type, default: 0] += bytes
        }
    }

    /// Bytes of all responses so far.
    package var bytesPushed: Int { state.withLock { $0.pushedBytes.values.reduce(0, +) } }

    package func rejected(_ type: ResourceType) {
        state.withLock {
            $0.rejects[type, default: 0] += 1
            $0.counters[.xdsRejects, default: 0] += 1
        }
    }

    package func count(_ changes: ChangeSet) {
        state.withLock { state in
            if changes.endpointsOnly {
                state.triggers["endpoint", default: 0] += 1
            } else {
                state.triggers[changes.meshConfigChanged ? "global" : "config", default: 0] += 1
            }
        }
    }

    /// Prometheus text format.
    package func text() -> String {
        let state = state.withLock { $0 }
        var lines: [String] = []
        for counter in Counter.allCases {
            lines.append("# TYPE \(counter.rawValue) counter")
            lines.append("\(counter.rawValue) \(state.counters[counter] ?? 0)")
        }
        for gauge in Gauge.allCases {
            lines.append("# TYPE \(gauge.rawValue) gauge")
            lines.append("\(gauge.rawValue) \(state.gauges[gauge] ?? 0)")
        }
        func perType(_ name: String, _ values: [ResourceType: Int]) {
            lines.append("# TYPE \(name) counter")
            for type in ResourceType.allCases {
                lines.append("\(name){type=\"\(type.shortName)\"} \(values[type] ?? 0)")
            }
        }
        perType("pilot_xds_pushes", state.pushes)
        perType("apus_xds_pushed_resources", state.pushedResources)
        perType("apus_xds_pushed_bytes", state.pushedBytes)
        perType("apus_xds_rejects", state.rejects)
        lines.append("# TYPE pilot_push_triggers counter")
        for (trigger, count) in state.triggers.sorted(by: { $0.key < $1.key }) {
            lines.append("pilot_push_triggers{type=\"\(trigger)\"} \(count)")
        }
        for histogram in Histogram.allCases {
            let buckets = state.histograms[histogram] ?? Buckets()
            lines.append("# TYPE \(histogram.rawValue) histogram")
            var total = 0
            for (index, bound) in Self.bounds.enumerated() {
                total += buckets.counts[index]
                lines.append("\(histogram.rawValue)_bucket{le=\"\(bound)\"} \(total)")
            }
            total += buckets.counts[Self.bounds.count]
            lines.append("\(histogram.rawValue)_bucket{le=\"+Inf\"} \(total)")
            lines.append("\(histogram.rawValue)_sum \(buckets.sum)")
            lines.append("\(histogram.rawValue)_count \(total)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
