using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using GrayMQ.Broker.Assignments;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Configuration;
using GrayMQ.Broker.Filtering;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Popping;
using GrayMQ.Broker.Pulling;
using GrayMQ.Broker.Registration;
using GrayMQ.Broker.Replies;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Transactions;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Servers;
using GrayMQ.Settings;
using GrayMQ.Settings.RocketMqKeys;
using GrayMQ.Store;

namespace GrayMQ.Broker;

/// <summary>Every setting of the broker, under its RocketMQ name, with its default; what RocketMQ knows besides is ignored with a warning.</summary>
public static class BrokerSettings
{
    private const int MaxPort = ushort.MaxValue;
    private const int MaxQueues = 4096;

    // Java clients of the 4.x line send to the port 2 below (RocketMQ: the VIP channel).
    private const int OldClientPortDistance = 2;

    // RocketMQ: MessageStoreConfig.MULTI_PATH_SPLITTER
    private const char RocketMqPathSeparator = ',';

    public static readonly SettingDefinition<string> BrokerName =
        Setting.Text("brokerName", "", "Name of this broker, unique in its cluster") with
        {
            Derive = _ => HostName(),

            // The handle of a popped message has the name between spaces, and lists of handles have semicolons.
            Check = name => name.Length > 0 && !name.Any(c => char.IsWhiteSpace(c) || c == ';') ? null : "a name without spaces and semicolons",
        };

    public static readonly SettingDefinition<string> BrokerClusterName =
        Setting.Text("brokerClusterName", "DefaultCluster", "Name of the cluster that this broker belongs to");

    public static readonly SettingDefinition<long> BrokerId =
        Setting.Int64("brokerId", 0, "0 is a master, which is all there is here", min: 0, max: 0);

    // A configuration that counts on replicas must not start as if it had them.
    public static readonly SettingDefinition<string> BrokerRole =
        Setting.Text("brokerRole", "ASYNC_MASTER", "ASYNC_MASTER: this broker keeps no replicas") with
        {
            Check = role => role == "ASYNC_MASTER" ? null : "ASYNC_MASTER: there are no replicas",
        };

    public static readonly SettingDefinition<string> BrokerIP1 =
        Setting.Text("brokerIP1", "", "Address or host name under which clients reach this broker; a name is resolved at the start") with
        {
            Derive = _ => LocalAddress().ToString(),
            Check = IsHost,
        };

    public static readonly SettingDefinition<string> BindAddress =
        Setting.Address("bindAddress", "0.0.0.0", "Address to listen on");

    public static readonly SettingDefinition<int> ListenPort =
        Setting.Int32("listenPort", 10911, "Port of the remoting protocol; old clients send to the one 2 below", OldClientPortDistance + 1, MaxPort);

    public static readonly SettingDefinition<int> HaListenPort =
        Setting.Int32("haListenPort", 10912, "Port that a replica would use; registered, not listened on", 0, MaxPort) with
        {
            Derive = settings => Math.Min(settings.Get(ListenPort) + 1, MaxPort),
        };

    public static readonly SettingDefinition<IReadOnlyList<string>> NamesrvAddr =
        Setting.List("namesrvAddr", [], "Name servers: host:port[;host:port]");

    public static readonly SettingDefinition<int> HttpPort =
        Setting.Int32("httpPort", 0, "Port of health checks and metrics; 0 switches them off", 0, MaxPort);

    public static readonly SettingDefinition<string> HttpAddress =
        Setting.Address("httpAddress", "127.0.0.1", "Address that health checks and metrics listen on");

    public static readonly SettingDefinition<string> HttpToken =
        Setting.Text("httpToken", "", "What POSTs by HTTP have to show (Authorization: Bearer TOKEN); without one they are taken on loopback only");

    public static readonly SettingDefinition<TlsMode> TlsMode =
        Setting.Choice("tlsMode", Remoting.Servers.TlsMode.Permissive, "Which connections are taken",
            ("disabled", Remoting.Servers.TlsMode.Disabled),
            ("permissive", Remoting.Servers.TlsMode.Permissive),
            ("enforcing", Remoting.Servers.TlsMode.Enforcing));

    public static readonly SettingDefinition<string> TlsServerCertPath =
        Setting.Text("tls.server.certPath", "", "Certificate of TLS connections, PEM; none makes a self-signed one") with
        {
            Check = IsNoneOrFile,
        };

    public static readonly SettingDefinition<string> TlsServerKeyPath =
        Setting.Text("tls.server.keyPath", "", "Private key of the certificate, PEM") with
        {
            Check = IsNoneOrFile,
        };

    public static readonly SettingDefinition<int> MaxIdleSeconds =
        Setting.Int32("serverChannelMaxIdleTimeSeconds", 120, "A silent connection is closed after this time", 1) with
        {
            Unit = "s",
        };

    public static readonly SettingDefinition<int> MaxConnections =
        Setting.Int32("serverMaxConnections", 100_000, "Connections open at a time", 1);

    public static readonly SettingDefinition<int> MaxFrameBytes =
        Setting.Int32("frameMaxLength", 16 * 1024 * 1024, "Largest frame that is read", 4096) with
        {
            Unit = "bytes",
        };

    public static readonly SettingDefinition<int> BrokerPermission =
        Setting.Int32("brokerPermission", 6, "4 read, 2 write, 6 both: narrows every topic's permission", 0, 7) with
        {
            ChangeableWhileRunning = true,
        };

    public static readonly SettingDefinition<bool> EnableTopicMessageTypeCheck =
        Setting.Boolean("enableTopicMessageTypeCheck", true, "A topic with a message.type takes messages of that type only");

    public static readonly SettingDefinition<bool> AutoCreateTopicEnable =
        Setting.Boolean("autoCreateTopicEnable", true, "Topics are made when first sent to");

    public static readonly SettingDefinition<int> DefaultTopicQueueNums =
        Setting.Int32("defaultTopicQueueNums", 8, "Queues of a topic that is made when first sent to", 1, MaxQueues);

    public static readonly SettingDefinition<bool> ClusterTopicEnable =
        Setting.Boolean("clusterTopicEnable", true, "There is a topic named like the cluster");

    public static readonly SettingDefinition<bool> BrokerTopicEnable =
        Setting.Boolean("brokerTopicEnable", true, "There is a topic named like the broker");

    public static readonly SettingDefinition<bool> AutoCreateSubscriptionGroup =
        Setting.Boolean("autoCreateSubscriptionGroup", true, "Consumer groups are made when first seen");

    public static readonly SettingDefinition<string> RegionId =
        Setting.Text("regionId", "DefaultRegion", "Region named to producers");

    public static readonly SettingDefinition<bool> TraceOn =
        Setting.Boolean("traceOn", true, "Whether producers are told to trace");

    public static readonly SettingDefinition<bool> EnablePropertyFilter =
        Setting.Boolean("enablePropertyFilter", true, "Consumers may filter by conditions on properties (SQL92 and HEADER)");

    public static readonly SettingDefinition<bool> LitePullMessageEnable =
        Setting.Boolean("litePullMessageEnable", true, "Lite pull consumers are served");

    public static readonly SettingDefinition<bool> LongPollingEnable =
        Setting.Boolean("longPollingEnable", true, "Pulls wait for messages as long as they ask to");

    public static readonly SettingDefinition<int> ShortPollingTimeMills =
        Setting.Int32("shortPollingTimeMills", 1000, "How long pulls wait when long polling is off", 1) with
        {
            Unit = "ms",
        };

    public static readonly SettingDefinition<int> MaxParkedPulls =
        Setting.Int32("maxParkedPulls", 100_000, "Pulls that wait for messages at a time; one more is answered at once", 1);

    public static readonly SettingDefinition<int> DefaultQueryMaxNum =
        Setting.Int32("defaultQueryMaxNum", 32, "Messages that a query by unique key looks at", 1, 1024);

    public static readonly SettingDefinition<int> RegisterNameServerPeriod =
        Setting.Int32("registerNameServerPeriod", 30_000, "How often this broker registers", 10_000, 60_000) with
        {
            Unit = "ms",
        };

    public static readonly SettingDefinition<int> RegisterBrokerTimeoutMills =
        Setting.Int32("registerBrokerTimeoutMills", 24_000, "How long a name server may take to register", 100) with
        {
            Unit = "ms",
        };

    public static readonly SettingDefinition<bool> CompressedRegister =
        Setting.Boolean("compressedRegister", false, "Registrations are sent compressed");

    public static readonly SettingDefinition<int> BrokerNotActiveTimeoutMillis =
        Setting.Int32("brokerNotActiveTimeoutMillis", 120_000, "Name servers drop this broker after this silence", 1000) with
        {
            Unit = "ms",
        };

    public static readonly SettingDefinition<string> StorePathRootDir =
        Setting.Text("storePathRootDir", "", "Directory of everything that is stored") with
        {
            Derive = _ => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "store"),
        };

    public static readonly SettingDefinition<string> StorePathCommitLog =
        Setting.Text("storePathCommitLog", "", "Directory of the commit log") with
        {
            Derive = settings => Path.Combine(settings.Get(StorePathRootDir), "commitlog"),
            Check = path => path.Contains(RocketMqPathSeparator) ? "one directory: several paths are not supported" : null,
        };

    public static readonly SettingDefinition<FlushDiskType> FlushDiskType =
        Setting.Choice("flushDiskType", Store.FlushDiskType.SyncFlush,
            "SYNC_FLUSH acknowledges what is on disk, ASYNC_FLUSH what the system has taken over");

    /// <summary>All settings of the broker.</summary>
    public static SettingsCatalogue Catalogue { get; } = Build();

    /// <summary>Where clients reach the broker. A host name is resolved here, once for the run: to IPv4 if it can be.</summary>
    /// <exception cref="SettingsException">The host name does not resolve.</exception>
    internal static IPEndPoint Address(EffectiveSettings settings)
    {
        string host = settings.Get(BrokerIP1);
        return new IPEndPoint(
            IPAddress.TryParse(host, out IPAddress? address) ? address : Resolve(host, settings.Find(BrokerIP1.Key).Place),
            settings.Get(ListenPort));
    }

    internal static RemotingServerOptions ServerOptions(EffectiveSettings settings, X509Certificate2? certificate)
    {
        var bind = IPAddress.Parse(settings.Get(BindAddress));
        int port = settings.Get(ListenPort);
        return new RemotingServerOptions
        {
            EndPoints = [new IPEndPoint(bind, port), new IPEndPoint(bind, port - OldClientPortDistance)],
            TlsMode = settings.Get(TlsMode),
            Certificate = certificate,
            Proxy = ProxySettings.ToOptions(settings),
            MaxConnections = settings.Get(MaxConnections),
            MaxIdle = TimeSpan.FromSeconds(settings.Get(MaxIdleSeconds)),
            Connection = ConnectionOptions.Default with
            {
                Commands = CommandLimits.Default with { MaxFrameBytes = settings.Get(MaxFrameBytes) },
            },
        };
    }

    /// <summary>Where health checks and metrics listen; null when they are switched off.</summary>
    internal static IPEndPoint? HttpEndPoint(EffectiveSettings settings) =>
        settings.Get(HttpPort) is > 0 and int port ? new IPEndPoint(IPAddress.Parse(settings.Get(HttpAddress)), port) : null;

    internal static SendOptions SendOptions(EffectiveSettings settings, RunningSettings running, IPEndPoint address) => new()
    {
        StoreHost = address,
        ClusterName = settings.Get(BrokerClusterName),
        Region = settings.Get(RegionId),
        TraceOn = settings.Get(TraceOn),
        MaxMessageBytes = StoreSettings.ToOptions(settings).MaxMessageBytes,
        CheckMessageType = settings.Get(EnableTopicMessageTypeCheck),
        BrokerPermission = running.Follow(BrokerPermission),
    };

    internal static PullOptions PullOptions(EffectiveSettings settings, RunningSettings running, IPEndPoint address) => new()
    {
        BrokerAddress = address.Address.ToString(),
        BrokerPermission = running.Follow(BrokerPermission),
        LitePullEnabled = settings.Get(LitePullMessageEnable),
        LongPollingEnabled = settings.Get(LongPollingEnable),
        ShortPollingMs = settings.Get(ShortPollingTimeMills),
    };

    internal static RegistrationOptions RegistrationOptions(EffectiveSettings settings, RunningSettings running, IPEndPoint address) => new()
    {
        NameServers = settings.Get(NamesrvAddr),
        ClusterName = settings.Get(BrokerClusterName),
        BrokerName = settings.Get(BrokerName),
        BrokerId = settings.Get(BrokerId),
        BrokerAddress = address.ToString(),
        HaServerAddress = new IPEndPoint(address.Address, settings.Get(HaListenPort)).ToString(),
        GrpcAddress = GrpcSettings.PublicAddress(settings, address),
        Period = TimeSpan.FromMilliseconds(settings.Get(RegisterNameServerPeriod)),
        Timeout = TimeSpan.FromMilliseconds(settings.Get(RegisterBrokerTimeoutMills)),
        Compress = settings.Get(CompressedRegister),
        NotActiveTimeout = TimeSpan.FromMilliseconds(settings.Get(BrokerNotActiveTimeoutMillis)),
        BrokerPermission = running.Follow(BrokerPermission),
    };

    private static SettingsCatalogue Build() => new SettingsCatalogue("broker")
        .Define(
            BrokerName, BrokerClusterName, BrokerId, BrokerRole, BrokerIP1, BindAddress, ListenPort, HaListenPort, NamesrvAddr, HttpPort,
            HttpAddress, HttpToken, TlsMode, TlsServerCertPath, TlsServerKeyPath, MaxIdleSeconds, MaxConnections, MaxFrameBytes,
            BrokerPermission, EnableTopicMessageTypeCheck, AutoCreateTopicEnable, DefaultTopicQueueNums, ClusterTopicEnable, BrokerTopicEnable,
            AutoCreateSubscriptionGroup, RegionId, TraceOn, EnablePropertyFilter, LitePullMessageEnable, LongPollingEnable, ShortPollingTimeMills,
            MaxParkedPulls, DefaultQueryMaxNum, RegisterNameServerPeriod, RegisterBrokerTimeoutMills, CompressedRegister,
            BrokerNotActiveTimeoutMillis, StorePathRootDir, StorePathCommitLog, FlushDiskType)
        .Define(StoreSettings.All)
        .Define(PopSettings.All)
        .Define(DelaySettings.All)
        .Define(UnsupportedSettings.All)
        .Define(MetadataSettings.All)
        .Define(ClientSettings.All)
        .Define(TransactionSettings.All)
        .Define(AssignmentSettings.All)
        .Define(ReplySettings.All)
        .Define(FilterSettings.All)
        .Define(ProxySettings.All)
        .Require(ProxySettings.ProxyProtocol, ProxySettings.SourcesAreNamed)
        .Define(LifecycleSettings.All)
        .Define(GraySettings.All)
        .Define(GrpcSettings.All)
        .Alias("tls.server.mode", "tlsMode")
        .Alias("tlsServerCertPath", "tls.server.certPath")
        .Alias("tlsServerKeyPath", "tls.server.keyPath")
        .Alias("com.rocketmq.remoting.frameMaxLength", "frameMaxLength")
        .Variable("NAMESRV_ADDR", "namesrvAddr")
        .Ignore(RocketMqKeyTable.Broker);

    private static string? IsHost(string text) =>
        Uri.CheckHostName(text) == UriHostNameType.Unknown ? "an IP address or a host name" : null;

    private static string? IsNoneOrFile(string path) => path.Length == 0 || File.Exists(path) ? null : "a file that exists";

    private static IPAddress Resolve(string host, SettingPlace place)
    {
        IPAddress[] addresses;
        try
        {
            addresses = Dns.GetHostAddresses(host);
        }
        catch (SocketException e)
        {
            throw new SettingsException($"{place}: {BrokerIP1.Key}={host}: the host name does not resolve: {e.Message}", e);
        }

        return Array.Find(addresses, address => address.AddressFamily == AddressFamily.InterNetwork)
            ?? addresses.FirstOrDefault()
            ?? throw new SettingsException($"{place}: {BrokerIP1.Key}={host}: the host name has no address");
    }

    private static string HostName()
    {
        string name = Dns.GetHostName();
        return string.IsNullOrWhiteSpace(name) ? "DEFAULT_BROKER" : name;
    }

    // The first address of a working interface that others can reach; RocketMQ, too, prefers IPv4.
    private static IPAddress LocalAddress()
    {
        IPAddress[] candidates =
        [
            .. NetworkInterface.GetAllNetworkInterfaces()
                .Where(nic => nic.OperationalStatus == OperationalStatus.Up && nic.NetworkInterfaceType != NetworkInterfaceType.Loopback)
                .SelectMany(nic => nic.GetIPProperties().UnicastAddresses)
                .Select(unicast => unicast.Address)
                .Where(address => !address.IsIPv6LinkLocal),
        ];
        return Array.Find(candidates, address => address.AddressFamily == AddressFamily.InterNetwork)
            ?? candidates.FirstOrDefault(IPAddress.Loopback);
    }
}
