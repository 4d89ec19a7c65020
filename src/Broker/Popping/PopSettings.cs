using System.Net;
using GrayMQ.Broker.Configuration;
using GrayMQ.Settings;

namespace GrayMQ.Broker.Popping;

/// <summary>The settings of popping, under their RocketMQ names where there are such.</summary>
internal static class PopSettings
{
    private static readonly SettingDefinition<int> PopFromRetryProbability =
        Setting.Int32("popFromRetryProbability", 20, "Pops in a hundred that look into the retry topic before the topic", 0, 100);

    private static readonly SettingDefinition<bool> EnableRetryTopicV2 =
        Setting.Boolean("enableRetryTopicV2", false, "Retry topics of pops are named %RETRY%group+topic instead of %RETRY%group_topic");

    private static readonly SettingDefinition<bool> RetrieveMessageFromPopRetryTopicV1 =
        Setting.Boolean(
            "retrieveMessageFromPopRetryTopicV1", true, "With enableRetryTopicV2, retry topics of the first form are popped from as well");

    private static readonly SettingDefinition<bool> PopResponseReturnActualRetryTopic =
        Setting.Boolean("popResponseReturnActualRetryTopic", false, "Retried messages are told under their retry topic, not under the topic popped");

    private static readonly SettingDefinition<bool> InitPopOffsetByCheckMsgInMem =
        Setting.Boolean(
            "initPopOffsetByCheckMsgInMem",
            true,
            "A new group that begins with the last message gets all of a queue whose first message is in memory still");

    private static readonly SettingDefinition<bool> EnablePopMessageThreshold =
        Setting.Boolean("enablePopMessageThreshold", true, "Whether popInflightMessageThreshold is a limit");

    private static readonly SettingDefinition<long> PopInflightMessageThreshold =
        Setting.Int64(
            "popInflightMessageThreshold", 10_000, "Messages of a queue that a group may have in hand; then it gets no more of it", min: 1);

    private static readonly SettingDefinition<int> PopPollingSize =
        Setting.Int32("popPollingSize", 1024, "Pops of one group, topic and queue that wait at a time; one more is told POLLING_FULL", 1);

    private static readonly SettingDefinition<int> PopPollingMapSize =
        Setting.Int32("popPollingMapSize", 100_000, "Groups and topics for which pops wait at a time", 1);

    private static readonly SettingDefinition<int> MaxPopPollingSize =
        Setting.Int32("maxPopPollingSize", 100_000, "Pops that wait at a time; one more is told POLLING_FULL", 1);

    private static readonly SettingDefinition<long> MaxPopInvisibleTime =
        Setting.Int64("maxPopInvisibleTime", 259_200_000, "Longest time that popped messages may be invisible", min: 1000) with
        {
            Unit = "ms",
        };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        PopFromRetryProbability, EnableRetryTopicV2, RetrieveMessageFromPopRetryTopicV1, PopResponseReturnActualRetryTopic,
        InitPopOffsetByCheckMsgInMem, EnablePopMessageThreshold, PopInflightMessageThreshold, PopPollingSize, PopPollingMapSize,
        MaxPopPollingSize, MaxPopInvisibleTime,
    ];

    public static ParkLimits ParkLimits(EffectiveSettings settings) =>
        new(settings.Get(MaxPopPollingSize), settings.Get(PopPollingSize), settings.Get(PopPollingMapSize));

    public static PopOptions Options(EffectiveSettings settings, RunningSettings running, IPEndPoint address) => new()
    {
        BrokerName = settings.Get(BrokerSettings.BrokerName),
        BrokerAddress = address.Address.ToString(),
        BrokerPermission = running.Follow(BrokerSettings.BrokerPermission),
        FromRetryPercent = settings.Get(PopFromRetryProbability),
        RetryTopicSecondForm = settings.Get(EnableRetryTopicV2),
        RetrieveFirstForm = settings.Get(RetrieveMessageFromPopRetryTopicV1),
        ReturnRetryTopic = settings.Get(PopResponseReturnActualRetryTopic),
        InitByMessagesInMemory = settings.Get(InitPopOffsetByCheckMsgInMem),
        MaxInFlight = settings.Get(EnablePopMessageThreshold) ? settings.Get(PopInflightMessageThreshold) : 0,
        MaxInvisible = TimeSpan.FromMilliseconds(settings.Get(MaxPopInvisibleTime)),
    };
}
