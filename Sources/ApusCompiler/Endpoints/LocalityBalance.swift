internal import ApusMesh
internal import ApusModel

/// Which locality rules apply to one cluster: of the DestinationRule, else of the Service's `trafficDistribution`, else
/// of the mesh (semantics 4.2, "Locality").
struct LocalityBalance {
    /// nil: endpoints are used without regard to their place.
    let setting: LocalityLoadBalancerSettings?
    /// Priorities are of use only if something can make Envoy leave one: outlier detection, or an explicit wish.
    let failsOver: Bool
    /// The zones of a region share its requests as the proxy sees fit, and regions are used one after the other.
    var zoneAware: ZoneAwareSettings?

    init(_ target: ClusterTarget, _ context: CompileContext) {
        let detects = target.policy.outlierDetection != nil
        if let own = target.policy.loadBalancer?.zoneAwareLb {
            setting = nil
            failsOver = false
            zoneAware = own.enabled == false ? nil : own
            return
        }
        if let own = target.policy.loadBalancer?.localityLb {
            setting = own.enabled == false ? nil : own
            failsOver = detects
            return
        }
        if let keys = Self.trafficDistribution[target.service.trafficDistribution] {
            var setting = LocalityLoadBalancerSettings()
            setting.enabled = true
            setting.failoverPriority = keys
            self.setting = setting
            failsOver = true
            return
        }
        if let mesh = context.snapshot.meshConfig.zoneAwareLbSetting, mesh.enabled != false {
            setting = nil
            failsOver = false
            zoneAware = mesh
            return
        }
        let mesh = context.snapshot.meshConfig.localityLbSetting
        setting = mesh.enabled == false ? nil : mesh
        failsOver = detects
    }

    /// Whether the cluster must weigh localities.
    var usesWeights: Bool {
        guard let setting else { return false }
        if !setting.distribute.isEmpty { return true }
        return failsOver && (!setting.failover.isEmpty || !setting.failoverPriority.isEmpty)
    }

    static let network = "topology.istio.io/network"
    static let region = "topology.kubernetes.io/region"
    static let zone = "topology.kubernetes.io/zone"
    static let subzone = "topology.istio.io/subzone"
    static let node = "kubernetes.io/hostname"

    /// The order in which closeness is judged, for each value of a Service's `trafficDistribution`.
    private static let trafficDistribution: [String: [String]] = [
        "PreferClose": [network, region, zone],
        "PreferSameZone": [network, region, zone],
        "PreferSameNode": [network, region, zone, subzone, node],
    ]
}
