using System.CommandLine;
using GrayMQ.Cli.Tools;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Cli.Messages;

/// <summary>The options that say which dead letters a command means.</summary>
internal sealed class DeadLetterSelection
{
    private readonly Option<bool> _all = new("--all") { Description = "All of them" };
    private readonly Option<string[]> _ids = new("--id")
    {
        Description = "This one: its message id, or the offset id that it or its original has; may be given again",
        HelpName = "ID",
    };

    private readonly Option<string[]> _keys = new("--key")
    {
        Description = "Those that were sent with this word; may be given again",
        HelpName = "KEY",
    };

    private readonly Option<string?> _begin = new("--begin")
    {
        Description = "Those that failed for good at this time or later: " + Times.Expectation,
        HelpName = "TIME",
    };

    private readonly Option<string?> _end = new("--end") { Description = "Those that failed for good at this time or before", HelpName = "TIME" };

    private HashSet<string> _wantedIds = [];
    private HashSet<string> _wantedKeys = [];

    /// <summary>Milliseconds since 1970; null without a beginning.</summary>
    public long? BeginMs { get; private set; }

    /// <summary>Milliseconds since 1970.</summary>
    public long EndMs { get; private set; } = long.MaxValue;

    /// <summary>Whether everything is meant that there is.</summary>
    public bool IsAll { get; private set; }

    public void AddTo(Command command)
    {
        Option[] options = [_all, _ids, _keys, _begin, _end];
        foreach (Option option in options)
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            int given = options.Count(option => result.GetResult(option) is { Implicit: false });
            bool all = result.GetResult(_all) is { Implicit: false };
            if (given == 0 || (all && given > 1))
            {
                result.AddError("expected --all, or some of --id, --key, --begin and --end");
            }
        });
    }

    /// <summary>Takes over what was said in a run.</summary>
    public void Read(ToolRun run)
    {
        IsAll = run.Get(_all);
        _wantedIds = new HashSet<string>(run.Get(_ids) ?? [], StringComparer.OrdinalIgnoreCase);
        _wantedKeys = new HashSet<string>(run.Get(_keys) ?? [], StringComparer.Ordinal);
        BeginMs = run.Get(_begin) is { } begin ? Times.Parse("--begin", begin, run.Context.Time) : null;
        EndMs = run.Get(_end) is { } end ? Times.Parse("--end", end, run.Context.Time) : long.MaxValue;
    }

    /// <summary>Whether a dead letter is meant.</summary>
    public bool Contains(ReceivedMessage message) =>
        message.StoreTimestampMs >= (BeginMs ?? 0) && message.StoreTimestampMs <= EndMs
        && (_wantedIds.Count == 0 || IdsOf(message).Any(id => id is not null && _wantedIds.Contains(id)))
        && (_wantedKeys.Count == 0 || KeysOf(message).Any(_wantedKeys.Contains));

    public static IReadOnlyList<string> KeysOf(ReceivedMessage message) =>
        message.Keys?.Split(MessageProperty.KeySeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static string?[] IdsOf(ReceivedMessage message) =>
    [
        message.MessageId, message.OffsetMessageId, message.Properties.GetValueOrDefault(MessageProperty.OriginMessageId),
        message.Properties.GetValueOrDefault(MessageProperty.DlqOriginMessageId),
    ];
}
