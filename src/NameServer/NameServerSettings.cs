using GrayMQ.NameServer.Gray.Databases;
using GrayMQ.Remoting.Proxies;
using GrayMQ.Remoting.Servers;
using GrayMQ.Settings;
using GrayMQ.Settings.RocketMqKeys;

namespace GrayMQ.NameServer;

/// <summary>Every setting of the name server, in the words of RocketMQ's namesrv.conf where it has one.</summary>
public static class NameServerSettings
{
    // A load balancer has asked twice by then.
    private const long DefaultDrainMs = 5_000;
    private const long MaxIntervalMs = 24L * 60 * 60 * 1000;

    public static SettingDefinition<int> ListenPort { get; } =
        Setting.Int32("listenPort", 9876, "TCP port that brokers and clients connect to; 0 takes a free one.", 0, 65535);

    public static SettingDefinition<string> BindAddress { get; } =
        Setting.Address("bindAddress", "0.0.0.0", "IP address to listen on; 0.0.0.0 or :: means all.");

    public static SettingDefinition<int> HttpPort { get; } =
        Setting.Int32("httpPort", 0, "TCP port of health checks and metrics; 0 switches them off.", 0, 65535);

    public static SettingDefinition<string> HttpAddress { get; } =
        Setting.Address("httpAddress", "127.0.0.1", "IP address that health checks and metrics listen on.");

    public static SettingDefinition<long> DrainMs { get; } =
        Setting.Int64(
            "drainMs", 0, "How long everybody is served as before, but not ready, once the server is to stop; 5000 where httpPort is set.", 0, MaxIntervalMs) with
        {
            Unit = "ms",

            // Nobody is told where there is no HTTP.
            Derive = settings => settings.Get(HttpPort) == 0 ? 0 : DefaultDrainMs,
        };

    public static SettingDefinition<TlsMode> TlsMode { get; } =
        Setting.Choice(
            "tlsMode",
            Remoting.Servers.TlsMode.Permissive,
            "Whether connections may be, must be or must not be encrypted.",
            ("disabled", Remoting.Servers.TlsMode.Disabled),
            ("permissive", Remoting.Servers.TlsMode.Permissive),
            ("enforcing", Remoting.Servers.TlsMode.Enforcing));

    public static SettingDefinition<string> TlsServerCertPath { get; } =
        Setting.Text("tls.server.certPath", "", "PEM file of the certificate shown to TLS clients; empty makes a self-signed one.") with
        {
            Check = IsNoneOrFile,
        };

    public static SettingDefinition<string> TlsServerKeyPath { get; } =
        Setting.Text("tls.server.keyPath", "", "PEM file of the certificate's key; empty when it is in the certificate's file.") with
        {
            Check = IsNoneOrFile,
        };

    public static SettingDefinition<int> ServerChannelMaxIdleTimeSeconds { get; } =
        Setting.Int32("serverChannelMaxIdleTimeSeconds", 120, "A connection on which nothing came for so long is closed.", 1) with
        {
            Unit = "s",
        };

    public static SettingDefinition<int> MaxConnections { get; } =
        Setting.Int32("maxConnections", 100_000, "Open connections; one more is closed at once.", 1);

    public static SettingDefinition<ProxyMode> ProxyProtocol { get; } =
        Setting.Choice(
            "proxyProtocol",
            ProxyMode.Off,
            "Whether connections may or must begin with a PROXY header (v1, v2) that names the client.",
            ("off", ProxyMode.Off),
            ("optional", ProxyMode.Optional),
            ("required", ProxyMode.Required));

    public static SettingDefinition<IReadOnlyList<string>> ProxyProtocolSources { get; } =
        Setting.List("proxyProtocolSources", [], "Load balancers whose PROXY headers are believed: address[/bits][;address[/bits]].") with
        {
            Check = sources => sources.All(source => ProxyOptions.TryParseSource(source, out _))
                ? null
                : "IP addresses, or networks as in 10.1.0.0/16, separated by ';'",
        };

    public static SettingDefinition<string> KVConfigPath { get; } =
        Setting.Text(
            "kvConfigPath",
            Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "namesrv", "kvConfig.json"),
            "File that keeps the key-value configuration.") with
        {
            Check = text => text.Length > 0 ? null : "a path",
        };

    public static SettingDefinition<long> BrokerChannelExpiredTime { get; } =
        Setting.Int64(
            "brokerChannelExpiredTime", 120_000, "Silence after which a broker that names no time of its own counts as gone.", 1, MaxIntervalMs) with
        {
            Unit = "ms",
            ChangeableWhileRunning = true,
        };

    public static SettingDefinition<long> ScanNotActiveBrokerInterval { get; } =
        Setting.Int64("scanNotActiveBrokerInterval", 5_000, "How often brokers are looked at for silence.", 10, MaxIntervalMs) with
        {
            Unit = "ms",
        };

    public static SettingDefinition<bool> OrderMessageEnable { get; } =
        Changeable("orderMessageEnable", false, "Whether routes carry the order configuration of their topic (ORDER_TOPIC_CONFIG).");

    public static SettingDefinition<bool> ReturnOrderTopicConfigToBroker { get; } =
        Changeable("returnOrderTopicConfigToBroker", true, "Whether brokers that register are told the order configuration.");

    public static SettingDefinition<bool> SupportActingMaster { get; } =
        Changeable("supportActingMaster", false, "Whether a slave is named as master, to be read from, while the master is away.");

    public static SettingDefinition<bool> NotifyMinBrokerIdChanged { get; } =
        Changeable("notifyMinBrokerIdChanged", false, "Whether brokers are told when the lowest broker id under their name changes.");

    public static SettingDefinition<bool> DeleteTopicWithBrokerRegistration { get; } =
        Changeable(
            "deleteTopicWithBrokerRegistration", false, "Whether topics that a broker's registration does not name are forgotten.");

    public static SettingDefinition<bool> EnableAllTopicList { get; } =
        Changeable("enableAllTopicList", true, "Whether the list of all topics is given out.");

    public static SettingDefinition<bool> EnableTopicList { get; } =
        Changeable("enableTopicList", true, "Whether the lists of a cluster's topics and of unit topics are given out.");

    public static SettingDefinition<bool> NeedWaitForService { get; } =
        Changeable("needWaitForService", false, "Whether routes are refused for waitSecondsForService after the start.");

    public static SettingDefinition<bool> WaitForKnownBrokers { get; } =
        Changeable(
            "waitForKnownBrokers",
            true,
            "Whether routes are refused while brokers that were there before the start have not registered again; for waitSecondsForService at most.");

    public static SettingDefinition<int> WaitSecondsForService { get; } =
        Setting.Int32("waitSecondsForService", 45, "Time in which brokers register before routes are given out.", 0) with
        {
            Unit = "s",
            ChangeableWhileRunning = true,
        };

    public static SettingDefinition<IReadOnlyList<string>> ConfigBlackList { get; } =
        Setting.List(
            "configBlackList", ["configBlackList", "configStorePath", "kvConfigPath"], "Keys that no request may change.");

    public static SettingDefinition<string> GrayDatabase { get; } =
        Setting.Text(
            "grayDatabase",
            "",
            "Where the state of gray releases lives: a SQLite file, which name servers on one host may share, or "
                + "postgres://user:password@host/database; empty is gray.db beside the file of kvConfigPath.") with
        {
            Check = text => text.Length == 0 ? null : GrayDatabaseAddress.Parse(text).Expected,
            Secret = true,
        };

    public static SettingDefinition<long> GrayPollInterval { get; } =
        Setting.Int64("grayPollInterval", 1_000, "How often the gray database is looked at for what another name server wrote.", 10, MaxIntervalMs) with
        {
            Unit = "ms",
        };

    public static SettingDefinition<long> GrayDatabaseTimeout { get; } =
        Setting.Int64("grayDatabaseTimeout", 3_000, "How long the gray database may take before it counts as away.", 100, MaxIntervalMs) with
        {
            Unit = "ms",
        };

    /// <summary>The definitions, with the RocketMQ keys that cost a warning only.</summary>
    public static SettingsCatalogue Catalogue() => new SettingsCatalogue("namesrv")
        .Define(
            ListenPort,
            BindAddress,
            HttpPort,
            HttpAddress,
            DrainMs,
            TlsMode,
            TlsServerCertPath,
            TlsServerKeyPath,
            ServerChannelMaxIdleTimeSeconds,
            MaxConnections,
            ProxyProtocol,
            ProxyProtocolSources,
            KVConfigPath,
            BrokerChannelExpiredTime,
            ScanNotActiveBrokerInterval,
            OrderMessageEnable,
            ReturnOrderTopicConfigToBroker,
            SupportActingMaster,
            NotifyMinBrokerIdChanged,
            DeleteTopicWithBrokerRegistration,
            EnableAllTopicList,
            EnableTopicList,
            NeedWaitForService,
            WaitForKnownBrokers,
            WaitSecondsForService,
            ConfigBlackList,
            GrayDatabase,
            GrayPollInterval,
            GrayDatabaseTimeout)
        .Require(ProxyProtocol, SourcesAreNamed)
        .Alias("tls.server.mode", "tlsMode")
        .Alias("tlsServerCertPath", "tls.server.certPath")
        .Alias("tlsServerKeyPath", "tls.server.keyPath")
        .Ignore(RocketMqKeyTable.NameServer);

    private static string? SourcesAreNamed(EffectiveSettings settings) =>
        settings.Get(ProxyProtocol) != ProxyMode.Off && settings.Get(ProxyProtocolSources).Count == 0
            ? "proxyProtocolSources to name the load balancers that are believed"
            : null;

    private static string? IsNoneOrFile(string path) => path.Length == 0 || File.Exists(path) ? null : "a file that exists";

    private static SettingDefinition<bool> Changeable(string key, bool defaultValue, string description) =>
        Setting.Boolean(key, defaultValue, description) with { ChangeableWhileRunning = true };
}
