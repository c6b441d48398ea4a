package import ApusTraffic

/// The numbers of a part that keeps its own on one loop.
package final class StatisticsScope<Table: StatisticsTable>: AnyStatisticsScope {
    package var stats = Table()

    init() {}

    var snapshot: any StatisticsTable { stats }

    func resetCounters() { stats.resetCounters() }
}

internal protocol AnyStatisticsScope: AnyObject {
    var snapshot: any StatisticsTable { get }
    func resetCounters()
}

/// The numbers of one loop, or the sum of several.
package struct WorkerStatistics: Sendable {
    package var clusters: [String: ClusterStats] = [:]
    package var outliers: [String: OutlierStats] = [:]
    package var healthChecks: [String: HealthCheckStats] = [:]
    /// By cluster, then by address.
    package var hosts: [String: [String: HostStats]] = [:]
    package var listeners: [String: ListenerStats] = [:]
    /// By listener, then by `stat_prefix`: Envoy tells the answers of each listener apart.
    package var listenerAnswers: [String: [String: ResponseCounts]] = [:]
    /// Connections of each listener by loop.
    package var listenerWorkers: [String: [Int: (total: UInt64, active: Int64)]] = [:]
    /// Of clusters in use; the breakers are the process's, so every loop says the same.
    package var breakers: [String: BreakerFacts] = [:]
    package var http: [String: HTTPStats] = [:]
    package var tcp: [String: TCPStats] = [:]
    /// By prefix.
    package var scopes: [String: any StatisticsTable] = [:]
    /// What is known over all loops; in the sum only.
    package var shared: [String: SharedClusterStats] = [:]
    /// The hosts in use, names resolved.
    package var endpoints: [String: EndpointTable] = [:]

    package init() {}

    package mutating func add(_ other: WorkerStatistics) {
        for (name, stats) in other.clusters { clusters[name, default: ClusterStats()].add(stats) }
        for (name, stats) in other.outliers { outliers[name, default: OutlierStats()].add(stats) }
        for (name, stats) in other.healthChecks { healthChecks[name, default: HealthCheckStats()].add(stats) }
        for (cluster, table) in other.hosts {
            for (host, stats) in table { hosts[cluster, default: [:]][host, default: HostStats()].add(stats) }
        }
        for (name, stats) in other.listeners { listeners[name, default: ListenerStats()].add(stats) }
        for (name, table) in other.listenerAnswers {
            for (prefix, answers) in table {
                listenerAnswers[name, default: [:]][prefix, default: ResponseCounts()].add(answers)
            }
        }
        listenerWorkers.merge(other.listenerWorkers) { left, right in left.merging(right) { $1 } }
        breakers.merge(other.breakers) { $1 }
        for (name, stats) in other.http { http[name, default: HTTPStats()].add(stats) }
        for (name, stats) in other.tcp { tcp[name, default: TCPStats()].add(stats) }
        for (prefix, stats) in other.scopes { scopes[prefix] = Self.sum(stats, scopes[prefix]) }
        endpoints.merge(other.endpoints) { $1 }
    }

    private static func sum<Table: StatisticsTable>(
        _ part: Table, _ sum: (any StatisticsTable)?
    ) -> any StatisticsTable {
        guard var sum = sum as? Table else { return part }
        sum.add(part)
        return sum
    }

    /// Takes in what is left of things that were replaced; what nothing has replaced is forgotten, and its names with it.
    mutating func adopt(_ retired: inout WorkerStatistics) {
        for (name, stats) in retired.http {
            if http[name] == nil { retired.http[name] = nil } else { http[name]?.add(stats) }
        }
        for (name, stats) in retired.tcp {
            if tcp[name] == nil { retired.tcp[name] = nil } else { tcp[name]?.add(stats) }
        }
        for (name, table) in retired.listenerAnswers {
            for (prefix, answers) in table {
                if listenerAnswers[name]?[prefix] == nil {
                    retired.listenerAnswers[name]?[prefix] = nil
                } else {
                    listenerAnswers[name]?[prefix]?.add(answers)
                }
            }
        }
    }
}

/// How much of its circuit breakers a cluster has taken.
package struct BreakerFacts: Sendable {
    package struct Resource: Sendable {
        package var taken: Int64
        package var limit: Int64
    }

    package struct Priority: Sendable {
        package var connections: Resource
        package var pending: Resource
        package var requests: Resource
        package var retries: Resource
        package var tracksRemaining: Bool
    }

    package var normal: Priority
    package var high: Priority
}
