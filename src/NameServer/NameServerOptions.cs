using System.Net;
using GrayMQ.NameServer.Gray.Databases;
using GrayMQ.Remoting.Proxies;
using GrayMQ.Remoting.Servers;
using GrayMQ.Settings;

namespace GrayMQ.NameServer;

/// <summary>The name server's settings as it uses them; their meaning is told in <see cref="NameServerSettings"/>.</summary>
public sealed record NameServerOptions
{
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>Where health checks and metrics are; null switches them off.</summary>
    public required IPEndPoint? HttpEndPoint { get; init; }

    /// <summary>How long clients are served as before once the server is to stop.</summary>
    public required TimeSpan DrainTime { get; init; }

    public required TlsMode TlsMode { get; init; }

    public required string TlsServerCertPath { get; init; }

    public required string TlsServerKeyPath { get; init; }

    public required TimeSpan MaxIdle { get; init; }

    public required int MaxConnections { get; init; }

    public required ProxyOptions Proxy { get; init; }

    public required string KVConfigPath { get; init; }

    /// <summary>Where the brokers are kept that are registered.</summary>
    public required string KnownBrokersPath { get; init; }

    public required TimeSpan BrokerChannelExpiredTime { get; init; }

    public required TimeSpan ScanNotActiveBrokerInterval { get; init; }

    public required bool OrderMessageEnable { get; init; }

    public required bool ReturnOrderTopicConfigToBroker { get; init; }

    public required bool SupportActingMaster { get; init; }

    public required bool NotifyMinBrokerIdChanged { get; init; }

    public required bool DeleteTopicWithBrokerRegistration { get; init; }

    public required bool EnableAllTopicList { get; init; }

    public required bool EnableTopicList { get; init; }

    public required bool NeedWaitForService { get; init; }

    public required bool WaitForKnownBrokers { get; init; }

    public required TimeSpan WaitForService { get; init; }

    /// <summary>Keys that no request may change.</summary>
    public required IReadOnlyList<string> ConfigBlackList { get; init; }

    public required GrayDatabaseAddress GrayDatabase { get; init; }

    public required TimeSpan GrayPollInterval { get; init; }

    public required TimeSpan GrayDatabaseTimeout { get; init; }

    public static NameServerOptions From(EffectiveSettings settings) => new()
    {
        EndPoint = new IPEndPoint(
            IPAddress.Parse(settings.Get(NameServerSettings.BindAddress)), settings.Get(NameServerSettings.ListenPort)),
        HttpEndPoint = settings.Get(NameServerSettings.HttpPort) is > 0 and int httpPort
            ? new IPEndPoint(IPAddress.Parse(settings.Get(NameServerSettings.HttpAddress)), httpPort)
            : null,
        DrainTime = TimeSpan.FromMilliseconds(settings.Get(NameServerSettings.DrainMs)),
        TlsMode = settings.Get(NameServerSettings.TlsMode),
        TlsServerCertPath = settings.Get(NameServerSettings.TlsServerCertPath),
        TlsServerKeyPath = settings.Get(NameServerSettings.TlsServerKeyPath),
        MaxIdle = TimeSpan.FromSeconds(settings.Get(NameServerSettings.ServerChannelMaxIdleTimeSeconds)),
        MaxConnections = settings.Get(NameServerSettings.MaxConnections),
        Proxy = ProxyOptions.From(
            settings.Get(NameServerSettings.ProxyProtocol), settings.Get(NameServerSettings.ProxyProtocolSources)),
        KVConfigPath = settings.Get(NameServerSettings.KVConfigPath),
        KnownBrokersPath = Path.Combine(FolderOf(settings), "knownBrokers.json"),
        BrokerChannelExpiredTime = TimeSpan.FromMilliseconds(settings.Get(NameServerSettings.BrokerChannelExpiredTime)),
        ScanNotActiveBrokerInterval = TimeSpan.FromMilliseconds(settings.Get(NameServerSettings.ScanNotActiveBrokerInterval)),
        OrderMessageEnable = settings.Get(NameServerSettings.OrderMessageEnable),
        ReturnOrderTopicConfigToBroker = settings.Get(NameServerSettings.ReturnOrderTopicConfigToBroker),
        SupportActingMaster = settings.Get(NameServerSettings.SupportActingMaster),
        NotifyMinBrokerIdChanged = settings.Get(NameServerSettings.NotifyMinBrokerIdChanged),
        DeleteTopicWithBrokerRegistration = settings.Get(NameServerSettings.DeleteTopicWithBrokerRegistration),
        EnableAllTopicList = settings.Get(NameServerSettings.EnableAllTopicList),
        EnableTopicList = settings.Get(NameServerSettings.EnableTopicList),
        NeedWaitForService = settings.Get(NameServerSettings.NeedWaitForService),
        WaitForKnownBrokers = settings.Get(NameServerSettings.WaitForKnownBrokers),
        WaitForService = TimeSpan.FromSeconds(settings.Get(NameServerSettings.WaitSecondsForService)),
        ConfigBlackList = settings.Get(NameServerSettings.ConfigBlackList),
        GrayDatabase = GrayDatabaseOf(settings),
        GrayPollInterval = TimeSpan.FromMilliseconds(settings.Get(NameServerSettings.GrayPollInterval)),
        GrayDatabaseTimeout = TimeSpan.FromMilliseconds(settings.Get(NameServerSettings.GrayDatabaseTimeout)),
    };

    private static string FolderOf(EffectiveSettings settings) =>
        Path.GetDirectoryName(Path.GetFullPath(settings.Get(NameServerSettings.KVConfigPath)))!;

    private static GrayDatabaseAddress GrayDatabaseOf(EffectiveSettings settings)
    {
        const string FileName = "gray.db";
        string given = settings.Get(NameServerSettings.GrayDatabase);
        string folder = FolderOf(settings);
        (GrayDatabaseAddress? address, string? expected) = GrayDatabaseAddress.Parse(given.Length > 0 ? given : Path.Combine(folder, FileName));
        return address ?? throw new ArgumentException($"{NameServerSettings.GrayDatabase.Key}: expected {expected}", nameof(settings));
    }
}
