using System.Net;
using System.Security.Cryptography.X509Certificates;
using GrayMQ.Broker.Delays;
using GrayMQ.Broker.Grpc;
using GrayMQ.Grpc.Servers;
using GrayMQ.Settings;

namespace GrayMQ.Broker;

/// <summary>The settings of gRPC, by which the 5.x clients come.</summary>
internal static class GrpcSettings
{
    // Beside the ports that RocketMQ's broker and proxy have by default.
    private const int DefaultListenPort = 10911;
    private const int DefaultPort = 8081;

    // A request holds more than its messages' bodies.
    private const int RequestSpareBytes = 1024 * 1024;

    private static readonly SettingDefinition<int> GrpcPort =
        Setting.Int32(
            "grpcPort",
            DefaultPort,
            "Port of gRPC for the 5.x clients, 0 switches it off; only a broker on listenPort 10911 has one without being told",
            0,
            ushort.MaxValue) with
        {
            Derive = settings => settings.Get(BrokerSettings.ListenPort) == DefaultListenPort ? DefaultPort : 0,
        };

    private static readonly SettingDefinition<long> MaxUntakenBytes =
        Setting.Int64(
            "grpcMaxUntakenBytes",
            256 * 1024 * 1024,
            "Bytes of messages that were handed out by gRPC and wait to be taken, of all clients together; beyond them nothing more is handed out",
            1) with
        {
            Unit = "bytes",
        };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } = [GrpcPort, MaxUntakenBytes];

    /// <summary>Whether gRPC is answered at all.</summary>
    public static bool IsOn(EffectiveSettings settings) => settings.Get(GrpcPort) > 0;

    /// <summary>Where clients reach this broker by gRPC, for name servers; null when it is switched off.</summary>
    public static string? PublicAddress(EffectiveSettings settings, IPEndPoint address) =>
        IsOn(settings) ? new IPEndPoint(address.Address, settings.Get(GrpcPort)).ToString() : null;

    public static GrpcOptions Options(EffectiveSettings settings, IPEndPoint address, DelayOptions delays) => new()
    {
        BrokerName = settings.Get(BrokerSettings.BrokerName),
        Address = address.Address,
        MaxBodyBytes = StoreSettings.ToOptions(settings).MaxMessageBytes,
        CheckMessageType = settings.Get(BrokerSettings.EnableTopicMessageTypeCheck),
        MaxDelay = TimeSpan.FromSeconds(delays.MaxDelaySeconds),
        MaxUntakenBytes = settings.Get(MaxUntakenBytes),
    };

    public static GrpcServerOptions ServerOptions(EffectiveSettings settings, X509Certificate2? certificate) => new()
    {
        EndPoint = new IPEndPoint(IPAddress.Parse(settings.Get(BrokerSettings.BindAddress)), settings.Get(GrpcPort)),
        TlsMode = settings.Get(BrokerSettings.TlsMode),
        Certificate = certificate,
        Proxy = ProxySettings.ToOptions(settings),
        MaxConnections = settings.Get(BrokerSettings.MaxConnections),
        MaxMessageBytes = checked(StoreSettings.ToOptions(settings).MaxMessageBytes + RequestSpareBytes),
    };
}
