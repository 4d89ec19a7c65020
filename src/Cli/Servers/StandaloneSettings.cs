using System.Globalization;
using GrayMQ.Broker;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.NameServer;
using GrayMQ.Settings;

namespace GrayMQ.Cli.Servers;

/// <summary>
/// The settings of a name server and a broker that live in one process. What nobody says otherwise stays on this machine: both
/// listen on loopback, and the broker gives loopback as its address.
/// </summary>
internal sealed class StandaloneSettings
{
    private const string Profile = "standalone";
    private const string Loopback = "127.0.0.1";
    private const string DefaultHttpPort = "8080";
    private static readonly string DefaultStore = Path.Combine(".", "data");

    private readonly StandaloneArguments _arguments;
    private readonly SettingsCatalogue _nameServerCatalogue = NameServerSettings.Catalogue();

    public StandaloneSettings(StandaloneArguments arguments)
    {
        _arguments = arguments;
        Broker = BrokerSettings.Catalogue.Load(BrokerSources(namesrvPort: null));
        NameServer = _nameServerCatalogue.Load(NameServerSources());
    }

    /// <summary>Of the broker, as far as they are known before the name server has its port.</summary>
    public SettingsLoad Broker { get; }

    public SettingsLoad NameServer { get; }

    public bool Succeeded => Broker.Succeeded && NameServer.Succeeded;

    public IEnumerable<SettingProblem> Warnings => Broker.Warnings.Concat(NameServer.Warnings).Distinct();

    /// <summary>The broker's settings once the name server has its port, which 0 leaves to the system.</summary>
    public EffectiveSettings BrokerAt(int namesrvPort) =>
        BrokerSettings.Catalogue.Load(BrokerSources(namesrvPort)).GetOrThrow();

    private SettingsSources BrokerSources(int? namesrvPort)
    {
        SettingsSources sources = new SettingsSources()
            .Profile(Profile, BrokerSettings.BindAddress.Key, Loopback)
            .Profile(Profile, BrokerSettings.BrokerIP1.Key, Loopback)
            .Profile(Profile, BrokerSettings.HttpPort.Key, DefaultHttpPort)
            .Profile(Profile, BrokerSettings.StorePathRootDir.Key, DefaultStore)

            // Who tries it out waits for it.
            .Profile(Profile, LifecycleSettings.RehearsalMs.Key, "0")
            .Environment(_arguments.Variables);
        AddFile(sources, _arguments.BrokerFile);
        AddOption(sources, "--store", BrokerSettings.StorePathRootDir.Key, _arguments.Store);
        AddOption(sources, "--broker-port", BrokerSettings.ListenPort.Key, _arguments.BrokerPort);
        AddOption(sources, "--http-port", BrokerSettings.HttpPort.Key, _arguments.HttpPort);
        AddAssignments(sources, BrokerSettings.Catalogue);

        // It registers here whatever the environment says to clients: a trial must not turn up in somebody's cluster.
        string own = namesrvPort is { } port ? Address(port) : $"{Loopback}:{_arguments.NameServerPort ?? "9876"}";
        return sources.Option(Profile, BrokerSettings.NamesrvAddr.Key, own);
    }

    private SettingsSources NameServerSources()
    {
        SettingsSources sources = new SettingsSources()
            .Profile(Profile, NameServerSettings.BindAddress.Key, Loopback);
        if (Broker.Succeeded)
        {
            string store = Broker.Settings.Get(BrokerSettings.StorePathRootDir);
            sources.Profile(Profile, NameServerSettings.KVConfigPath.Key, Path.Combine(store, "namesrv", "kvConfig.json"));
        }

        sources.Environment(_arguments.Variables);
        AddFile(sources, _arguments.NameServerFile);
        AddOption(sources, "--namesrv-port", NameServerSettings.ListenPort.Key, _arguments.NameServerPort);
        AddAssignments(sources, _nameServerCatalogue);

        // One process, one HTTP port: the broker's, by which both are known to be alive.
        return sources.Option(Profile, NameServerSettings.HttpPort.Key, "0");
    }

    private static string Address(int port) => string.Create(CultureInfo.InvariantCulture, $"{Loopback}:{port}");

    private static void AddFile(SettingsSources sources, string? file)
    {
        if (file is not null)
        {
            sources.File(file);
        }
    }

    private static void AddOption(SettingsSources sources, string option, string key, string? value)
    {
        if (value is not null)
        {
            sources.Option(option, key, value);
        }
    }

    /// <summary>
    /// <c>--set broker.KEY=VALUE</c> and <c>--set namesrv.KEY=VALUE</c> go where they say; a plain key goes to every server that has it.
    /// Only listenPort, of which there cannot be two, means the broker's.
    /// </summary>
    private void AddAssignments(SettingsSources sources, SettingsCatalogue catalogue)
    {
        bool isBroker = ReferenceEquals(catalogue, BrokerSettings.Catalogue);
        foreach (string assignment in _arguments.Assignments)
        {
            string key = assignment.Split('=', 2)[0].Trim();
            string prefix = catalogue.Server + ".";
            if (key.StartsWith(prefix, StringComparison.Ordinal))
            {
                sources.Set(assignment.TrimStart()[prefix.Length..]);
            }
            else if (isBroker
                ? BrokerSettings.Catalogue.Defines(key) || !NamesNameServer(key)
                : _nameServerCatalogue.Defines(key) && key != NameServerSettings.ListenPort.Key)
            {
                sources.Set(assignment);
            }
        }
    }

    // What no server has is for the broker to complain about.
    private bool NamesNameServer(string key) =>
        key.StartsWith(_nameServerCatalogue.Server + ".", StringComparison.Ordinal) || _nameServerCatalogue.Defines(key);
}
