using GrayMQ.Gray;

namespace GrayMQ.NameServer.Gray.States;

/// <summary>How rows are named. A change has the name of what it changes, so that there is one at a time.</summary>
internal static class GrayNames
{
    private const string TopicPrefix = "topic/";
    private const string ConsumerPrefix = "consumer/";
    private const string ProducerPrefix = "producer/";

    public static string ChangeOfTopic(string topic) => TopicPrefix + topic;

    /// <summary>Of a release's row, and of the change of it.</summary>
    public static string Release(string group, GrayReleaseKind kind) =>
        (kind == GrayReleaseKind.Producer ? ProducerPrefix : ConsumerPrefix) + group;

    /// <summary>The topic or group that a change is about.</summary>
    public static string SubjectOf(string change) => change[(change.IndexOf('/', StringComparison.Ordinal) + 1)..];

    /// <summary>The topic that a change is about; null when it is about a release.</summary>
    public static string? TopicOf(string change) =>
        change.StartsWith(TopicPrefix, StringComparison.Ordinal) ? change[TopicPrefix.Length..] : null;
}
