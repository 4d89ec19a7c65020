using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using GrayMQ.Cli.Clusters;
using GrayMQ.Cli.Filters;
using GrayMQ.Cli.Gray;
using GrayMQ.Cli.Groups;
using GrayMQ.Cli.Lifecycle;
using GrayMQ.Cli.Messages;
using GrayMQ.Cli.Offsets;
using GrayMQ.Cli.Timers;
using GrayMQ.Cli.Topics;
using GrayMQ.Cli.Transactions;

namespace GrayMQ.Cli.Output;

/// <summary>Every result as JSON: the names of the records' properties, in camel case, are what scripts rely on.</summary>
[JsonSerializable(typeof(ClusterListing))]
[JsonSerializable(typeof(TopicListing))]
[JsonSerializable(typeof(TopicRoute))]
[JsonSerializable(typeof(TopicChange))]
[JsonSerializable(typeof(GroupListing))]
[JsonSerializable(typeof(GroupChange))]
[JsonSerializable(typeof(GroupDescription))]
[JsonSerializable(typeof(SentMessage))]
[JsonSerializable(typeof(MessageListing))]
[JsonSerializable(typeof(MessageView))]
[JsonSerializable(typeof(ResendResult))]
[JsonSerializable(typeof(OffsetListing))]
[JsonSerializable(typeof(OffsetReset))]
[JsonSerializable(typeof(TimerListing))]
[JsonSerializable(typeof(TransactionListing))]
[JsonSerializable(typeof(FilterExplanation))]
[JsonSerializable(typeof(FilterTest))]
[JsonSerializable(typeof(FilterStatsListing))]
[JsonSerializable(typeof(LifecycleView))]
[JsonSerializable(typeof(RollingRestart))]
[JsonSerializable(typeof(GrayChangeResult))]
[JsonSerializable(typeof(GrayRuleListing))]
[JsonSerializable(typeof(GrayHistoryListing))]
[JsonSerializable(typeof(GrayStatusView))]
internal sealed partial class ResultJson : JsonSerializerContext
{
    /// <summary>One document over several lines.</summary>
    public static ResultJson Document { get; } = new(OptionsWith(indented: true));

    /// <summary>One document per line, for results that come one after the other.</summary>
    public static ResultJson Line { get; } = new(OptionsWith(indented: false));

    // Results are read by people and by jq, not embedded in HTML: letters beyond ASCII stay letters.
    private static JsonSerializerOptions OptionsWith(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = indented,
    };
}
