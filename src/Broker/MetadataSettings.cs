using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Settings;

namespace GrayMQ.Broker;

/// <summary>The settings of topics, groups and consumer offsets that only they use, under their RocketMQ names.</summary>
internal static class MetadataSettings
{
    private static readonly TopicOptions TopicDefaults = new() { BrokerClusterName = "", BrokerName = "" };
    private static readonly GroupOptions GroupDefaults = new();
    private static readonly OffsetOptions OffsetDefaults = new();

    private static readonly SettingDefinition<bool> TraceTopicEnable =
        Setting.Boolean("traceTopicEnable", TopicDefaults.TraceTopicEnable, "There is a topic for traces from the start");

    private static readonly SettingDefinition<string> MsgTraceTopicName =
        Setting.Text("msgTraceTopicName", TopicDefaults.MsgTraceTopicName, "Name of the topic for traces");

    private static readonly SettingDefinition<bool> ValidateSystemTopicWhenUpdateTopic =
        Setting.Boolean(
            "validateSystemTopicWhenUpdateTopic",
            TopicDefaults.ValidateSystemTopicWhenUpdateTopic,
            "Administrators are kept from changing and deleting system topics");

    private static readonly SettingDefinition<bool> EnableMixedMessageType =
        Setting.Boolean("enableMixedMessageType", TopicDefaults.EnableMixedMessageType, "A topic's message.type may be MIXED");

    private static readonly SettingDefinition<bool> ClearRetryTopicWhenDeleteTopic =
        Setting.Boolean(
            "clearRetryTopicWhenDeleteTopic",
            TopicDefaults.ClearRetryTopicWhenDeleteTopic,
            "Deleting a topic deletes its pop retry topics");

    private static readonly SettingDefinition<bool> EnableCreateSysGroup =
        Setting.Boolean(
            "enableCreateSysGroup",
            GroupDefaults.EnableCreateSysGroup,
            "Groups named CID_RMQ_SYS_* are made when first seen, whatever holds for others");

    private static readonly SettingDefinition<int> FlushConsumerOffsetInterval =
        Setting.Int32(
            "flushConsumerOffsetInterval",
            OffsetDefaults.FlushConsumerOffsetInterval,
            "How often consumer offsets, which the system has within 50 ms, are brought to the disk",
            1) with
        {
            Unit = "ms",
        };

    private static readonly SettingDefinition<int> ConsumerOffsetUpdateVersionStep =
        Setting.Int32(
            "consumerOffsetUpdateVersionStep",
            OffsetDefaults.ConsumerOffsetUpdateVersionStep,
            "Commits after which the version of the offsets grows",
            1);

    private static readonly SettingDefinition<bool> UseServerSideResetOffset =
        Setting.Boolean(
            "useServerSideResetOffset",
            OffsetDefaults.UseServerSideResetOffset,
            "A reset waits here for the consumers' next pull, instead of being told to those that are online");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SettingDefinition> All { get; } =
    [
        TraceTopicEnable, MsgTraceTopicName, ValidateSystemTopicWhenUpdateTopic, EnableMixedMessageType,
        ClearRetryTopicWhenDeleteTopic, EnableCreateSysGroup, FlushConsumerOffsetInterval, ConsumerOffsetUpdateVersionStep,
        UseServerSideResetOffset,
    ];

    public static TopicOptions TopicOptions(EffectiveSettings settings) => new()
    {
        BrokerClusterName = settings.Get(BrokerSettings.BrokerClusterName),
        BrokerName = settings.Get(BrokerSettings.BrokerName),
        AutoCreateTopicEnable = settings.Get(BrokerSettings.AutoCreateTopicEnable),
        DefaultTopicQueueNums = settings.Get(BrokerSettings.DefaultTopicQueueNums),
        ClusterTopicEnable = settings.Get(BrokerSettings.ClusterTopicEnable),
        BrokerTopicEnable = settings.Get(BrokerSettings.BrokerTopicEnable),
        TraceTopicEnable = settings.Get(TraceTopicEnable),
        MsgTraceTopicName = settings.Get(MsgTraceTopicName),
        ValidateSystemTopicWhenUpdateTopic = settings.Get(ValidateSystemTopicWhenUpdateTopic),
        EnableMixedMessageType = settings.Get(EnableMixedMessageType),
        ClearRetryTopicWhenDeleteTopic = settings.Get(ClearRetryTopicWhenDeleteTopic),
    };

    public static GroupOptions GroupOptions(EffectiveSettings settings) => new()
    {
        AutoCreateSubscriptionGroup = settings.Get(BrokerSettings.AutoCreateSubscriptionGroup),
        EnableCreateSysGroup = settings.Get(EnableCreateSysGroup),
    };

    public static OffsetOptions OffsetOptions(EffectiveSettings settings) => new()
    {
        FlushConsumerOffsetInterval = settings.Get(FlushConsumerOffsetInterval),
        ConsumerOffsetUpdateVersionStep = settings.Get(ConsumerOffsetUpdateVersionStep),
        UseServerSideResetOffset = settings.Get(UseServerSideResetOffset),
    };
}
