using System.Net;
using GrayMQ.Broker.Delays;
using GrayMQ.Settings;
using GrayMQ.Store;

namespace GrayMQ.Broker.Gray;

/// <summary>The settings of gray releases, which RocketMQ does not have.</summary>
internal static class GraySettings
{
    private static readonly SettingDefinition<int> GrayAskIntervalMs =
        Setting.Int32("grayAskIntervalMs", 5000, "How often name servers are asked for the gray state when they say nothing", 100) with
        {
            Unit = "ms",
        };

    private static readonly SettingDefinition<int> GrayReportIntervalMs =
        Setting.Int32("grayReportIntervalMs", 1000, "How often name servers are told of progress while a release is open", 100) with
        {
            Unit = "ms",
        };

    private static readonly SettingDefinition<int> GrayWithdrawWaitMs =
        Setting.Int32("grayWithdrawWaitMs", 30_000, "How long a withdrawn side has for the messages that it was given", 0) with
        {
            Unit = "ms",
        };

    private static readonly SettingDefinition<int> GrayReturnWaitMs =
        Setting.Int32("grayReturnWaitMs", 35_000, "How long clients that were there may need to say again who they are, after a restart or a lost connection", 0) with
        {
            Unit = "ms",
        };

    public static IReadOnlyList<SettingDefinition> All { get; } =
        [GrayAskIntervalMs, GrayReportIntervalMs, GrayWithdrawWaitMs, GrayReturnWaitMs];

    public static GrayOptions Options(EffectiveSettings settings, IPEndPoint address) => new()
    {
        BrokerName = settings.Get(BrokerSettings.BrokerName),
        BrokerAddress = address.ToString(),
        NameServers = settings.Get(BrokerSettings.NamesrvAddr),
        AskInterval = TimeSpan.FromMilliseconds(settings.Get(GrayAskIntervalMs)),
        ReportInterval = TimeSpan.FromMilliseconds(settings.Get(GrayReportIntervalMs)),
        WithdrawWait = TimeSpan.FromMilliseconds(settings.Get(GrayWithdrawWaitMs)),
        ReturnWait = TimeSpan.FromMilliseconds(settings.Get(GrayReturnWaitMs)),
        KeepSkips = LongestWait(DelaySettings.Options(settings), StoreSettings.ToOptions(settings)),
    };

    // A transaction that ends at the last moment, of a message that is to be delayed then.
    private static TimeSpan LongestWait(DelayOptions delays, StoreOptions store) =>
        TimeSpan.FromHours(store.FileReservedHours)
        + TimeSpan.FromMilliseconds(
            Math.Max(delays.MaxDelaySeconds * 1000L, Enumerable.Range(1, delays.Levels.Max).Max(delays.Levels.DelayMs)));
}
