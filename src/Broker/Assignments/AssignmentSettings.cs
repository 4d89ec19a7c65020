using GrayMQ.Protocol.Bodies;
using GrayMQ.Settings;

namespace GrayMQ.Broker.Assignments;

/// <summary>The settings of sharing queues out, under their RocketMQ names.</summary>
internal static class AssignmentSettings
{
    private static readonly SettingDefinition<bool> ServerLoadBalancerEnable =
        Setting.Boolean(
            "serverLoadBalancerEnable",
            true,
            "Queues are shared out among the consumers that ask for theirs; else each is told all of them");

    private static readonly SettingDefinition<MessageRequestMode> DefaultMessageRequestMode =
        Setting.Choice(
            "defaultMessageRequestMode",
            MessageRequestMode.Pull,
            "How groups consume that leave it to the broker, where nothing was set for topic and group",
            ("PULL", MessageRequestMode.Pull),
            ("POP", MessageRequestMode.Pop));

    private static readonly SettingDefinition<int> DefaultPopShareQueueNum =
        Setting.Int32(
            "defaultPopShareQueueNum",
            -1,
            "With how many others a popping consumer shares its queues; 0 and less: all share all");

    private static readonly SettingDefinition<int> LoadBalancePollNameServerInterval =
        Setting.Int32(
            "loadBalancePollNameServerInterval",
            30_000,
            "How often name servers are asked for the routes of topics whose queues are shared out",
            1000) with
        {
            Unit = "ms",
        };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } =
        [ServerLoadBalancerEnable, DefaultMessageRequestMode, DefaultPopShareQueueNum, LoadBalancePollNameServerInterval];

    public static AssignmentOptions Options(EffectiveSettings settings) => new()
    {
        ServerLoadBalancerEnable = settings.Get(ServerLoadBalancerEnable),
        DefaultMessageRequestMode = settings.Get(DefaultMessageRequestMode),
        DefaultPopShareQueueNum = settings.Get(DefaultPopShareQueueNum),
    };

    public static RouteOptions RouteOptions(EffectiveSettings settings) => new()
    {
        BrokerName = settings.Get(BrokerSettings.BrokerName),
        NameServers = settings.Get(BrokerSettings.NamesrvAddr),
        RefreshPeriod = TimeSpan.FromMilliseconds(settings.Get(LoadBalancePollNameServerInterval)),
    };
}
