using System.Net;
using GrayMQ.Settings;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>The settings of leaving and coming; RocketMQ has none of them.</summary>
internal static class LifecycleSettings
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

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } =
        [DrainQuietMs, DrainMaxMs, DrainConsumersMs, DrainLingerMs, ReturnMs, RegistrationDelayMs, StatusFile];

    public static LifecycleOptions Options(EffectiveSettings settings, IPEndPoint address) => new()
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
        StatusFile = settings.Get(StatusFile) is { Length: > 0 } path ? path : null,
    };

    private static SettingDefinition<int> Milliseconds(string key, int defaultValue, string description) =>
        Setting.Int32(key, defaultValue, description, 0) with { Unit = "ms" };
}
