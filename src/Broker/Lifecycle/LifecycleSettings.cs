using System.Globalization;
using System.Net;
using GrayMQ.Settings;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>The settings of leaving and coming; RocketMQ has none of them.</summary>
public static class LifecycleSettings
{
    private static readonly SettingDefinition<int> DrainQuietMs =
        Milliseconds("drainQuietMs", 35_000, "Without a send for so long after the routes were told, a leaving broker is quiet; stock clients ask every 30 s");

    private static readonly SettingDefinition<int> DrainMaxMs =
        Milliseconds("drainMaxMs", 120_000, "A leaving broker serves sends no longer than this");

    private static readonly SettingDefinition<int> DrainConsumersMs =
        Milliseconds("drainConsumersMs", 10_000, "Time for consumers of a leaving broker to commit and acknowledge; stock clients commit every 5 s");

    private static readonly SettingDefinition<int> DrainLingerMs =
        Milliseconds("drainLingerMs", 60_000, "A broker that does not come back stays up so long after its route has gone");

    private static readonly SettingDefinition<int> ReturnMs =
        Milliseconds("returnMs", 120_000, "Name servers keep the route of a restarting broker for so long");

    private static readonly SettingDefinition<int> RegistrationDelayMs =
        Milliseconds("registrationDelayMs", 0, "Time between the opening of the ports and the registration");

    private static readonly SettingDefinition<string> StatusFile =
        Setting.Text("statusFile", "", "File that is there while the broker is ready; removing it asks the broker to leave");

    private static readonly SettingDefinition<int> WarmupMs =
        Milliseconds("warmupMs", 150_000, "The routes show all write queues so long after the first send, and a growing part until then; 0: all at once");

    private static readonly SettingDefinition<double> WarmupExponent =
        Setting.Double("warmupExponent", 1, "k of the part of the write queues that is shown, (t / warmupMs)^k", 0.1, 10);

    private static readonly SettingDefinition<bool> ReadyWhenWarm =
        Setting.Boolean("readyWhenWarm", false, "Whether the broker is ready only when it shows all write queues, not when it has registered");

    private static readonly SettingDefinition<int> WarmupTailMb =
        Setting.Int32("warmupTailMb", 64, "So much of the end of the log is brought into memory before the ports open", 0) with { Unit = "MiB" };

    /// <summary>Zero serves at once.</summary>
    public static readonly SettingDefinition<int> RehearsalMs =
        Milliseconds("rehearsalMs", 500, "How long the broker exercises itself at most, on a store of its own, before the ports open; 0: not at all");

    private static readonly SettingDefinition<IReadOnlyList<string>> ProbeCodes =
        Setting.List("probeCodes", [], "Codes of requests that are sends and somebody's health checks: they do not begin the warm-up, and hold up no drain") with
        {
            Check = codes => codes.All(code => int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                ? null
                : "request codes separated by ';'",
        };

    private static readonly SettingDefinition<IReadOnlyList<string>> ProbeTopics =
        Setting.List("probeTopics", ["SELF_TEST_TOPIC"], "Topics that only health checks send to: they do not begin the warm-up, and hold up no drain");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        DrainQuietMs, DrainMaxMs, DrainConsumersMs, DrainLingerMs, ReturnMs, RegistrationDelayMs, StatusFile, WarmupMs, WarmupExponent,
        ReadyWhenWarm, WarmupTailMb, RehearsalMs, ProbeCodes, ProbeTopics,
    ];

    internal static WarmupOptions WarmupOptions(EffectiveSettings settings) => new()
    {
        Curve = new WarmupCurve(TimeSpan.FromMilliseconds(settings.Get(WarmupMs)), settings.Get(WarmupExponent)),
        ReadyWhenWarm = settings.Get(ReadyWhenWarm),
        TailBytes = settings.Get(WarmupTailMb) * 1024L * 1024,
        Rehearsal = TimeSpan.FromMilliseconds(settings.Get(RehearsalMs)),
    };

    internal static LifecycleOptions Options(EffectiveSettings settings, IPEndPoint address) => new()
    {
        NameServers = settings.Get(BrokerSettings.NamesrvAddr),
        ClusterName = settings.Get(BrokerSettings.BrokerClusterName),
        BrokerName = settings.Get(BrokerSettings.BrokerName),
        BrokerAddress = address.ToString(),
        Quiet = TimeSpan.FromMilliseconds(settings.Get(DrainQuietMs)),
        MaxDrain = TimeSpan.FromMilliseconds(settings.Get(DrainMaxMs)),
        Consumers = TimeSpan.FromMilliseconds(settings.Get(DrainConsumersMs)),
        Linger = TimeSpan.FromMilliseconds(settings.Get(DrainLingerMs)),
        Return = TimeSpan.FromMilliseconds(settings.Get(ReturnMs)),
        RegistrationDelay = TimeSpan.FromMilliseconds(settings.Get(RegistrationDelayMs)),
        Warmup = WarmupOptions(settings),
        ProbeCodes = [.. settings.Get(ProbeCodes).Select(code => int.Parse(code, CultureInfo.InvariantCulture))],
        ProbeTopics = settings.Get(ProbeTopics),
        StatusFile = settings.Get(StatusFile) is { Length: > 0 } path ? path : null,
    };

    private static SettingDefinition<int> Milliseconds(string key, int defaultValue, string description) =>
        Setting.Int32(key, defaultValue, description, 0) with { Unit = "ms" };
}
