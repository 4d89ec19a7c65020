using System.Globalization;
using System.Text;
using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.Commands;
using GrayMQ.NameServer.Gray.Databases;
using GrayMQ.NameServer.Gray.Progress;
using GrayMQ.NameServer.Gray.States;
using GrayMQ.NameServer.Routes;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.NameServer.Gray;

/// <summary>Gives out the gray state, changes it, and hears of how far brokers have come (this project's requests 30100 to 30105).</summary>
internal sealed class GrayHandler(GrayState state, GrayBrokers brokers, GrayWatchers watchers, GrayFactFinder facts, RouteTable routes)
{
    /// <summary>Entries of the history in one answer.</summary>
    private const int MaxHistory = 1_000;

    /// <summary>Bytes of a command.</summary>
    private const int MaxCommandBytes = 16 * 1024;

    private const string Nobody = "unknown";

    /// <summary>Answers from memory: brokers and clients ask often.</summary>
    public ValueTask GetAsync(RemotingRequest request, GetGrayStateHeader header)
    {
        if (header.Watch)
        {
            watchers.Add(request.Connection);
        }

        if (header.BrokerName is { } broker)
        {
            Note(brokers.TryNote(NameCheck.Require("broker name", broker)));
        }

        if (state.View is not { } view)
        {
            request.Reply(new GetGrayStateResponseHeader { Answer = GrayStateAnswer.Unknown });
            return ValueTask.CompletedTask;
        }

        bool unchanged = header.Epoch == view.Version.Epoch && header.Version == view.Version.Version;
        request.Responder.Reply(
            ResponseCode.Success,
            null,
            new GetGrayStateResponseHeader
            {
                Answer = unchanged ? GrayStateAnswer.Unchanged : GrayStateAnswer.Snapshot,
                Epoch = view.Version.Epoch,
                Version = view.Version.Version,
            },
            new MemoryBody(unchanged ? default : view.Encoded));
        return ValueTask.CompletedTask;
    }

    public async ValueTask ChangeAsync(RemotingRequest request, ChangeGrayStateHeader header)
    {
        if (request.Body.Length > MaxCommandBytes)
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter, $"the command has {request.Body.Length} bytes: expected at most {MaxCommandBytes}");
        }

        GrayCommand command = BodyCodec.Decode<GrayCommand>(request.Body);
        if (GrayCommands.Problem(command) is { } problem)
        {
            throw new RemotingException(ResponseCode.InvalidParameter, problem);
        }

        string by = header.Operator is { Length: > 0 } name ? NameCheck.Require("operator", name) : Nobody;
        GrayFacts found = await facts.FindAsync(state.View, command, by).ConfigureAwait(false);
        var audit = new GrayAudit(
            found.NowMs,
            by,
            request.Connection.RemoteEndPoint?.ToString() ?? Nobody,
            command.Topic ?? command.Group ?? "",
            Encoding.UTF8.GetString(BodyCodec.Encode(command, BodyJsonForm.Standard)),
            "");
        bool stale = false;
        (GrayDecision decision, GrayView view) = await TryAsync(() => state.ChangeAsync(
            current =>
            {
                stale = (header.Epoch is { } epoch && epoch != current.Version.Epoch)
                    || (header.Version != GetGrayStateHeader.NoVersion && header.Version != current.Version.Version);
                return stale ? GrayDecision.Done("") : GrayCommands.Decide(current, command, found);
            },
            audit,
            CancellationToken.None)).ConfigureAwait(false);
        if (stale)
        {
            throw new RemotingException(
                ResponseCode.GrayConflict, $"the gray state is of version {view.Version}, the command was meant for {header.Epoch}:{header.Version}");
        }

        if (decision.Refusal is { } refusal)
        {
            throw new RemotingException(decision.Code, refusal);
        }

        request.Responder.Reply(ResponseCode.Success, decision.Summary, Version(view));
    }

    public async ValueTask ReportAsync(RemotingRequest request, ReportGrayProgressHeader header)
    {
        GrayProgress progress;
        try
        {
            progress = GrayJson.DecodeProgress(request.Body);
        }
        catch (GrayFormatException e)
        {
            throw new RemotingException(ResponseCode.InvalidParameter, e.Message);
        }

        if (progress.Broker != NameCheck.Require("broker name", header.BrokerName))
        {
            throw new RemotingException(ResponseCode.InvalidParameter, "the header names another broker than the body");
        }

        Note(brokers.TryNote(progress));
        await TryAsync(async () =>
        {
            await state.TakeAsync(progress, CancellationToken.None).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
        request.Reply(state.View is { } view ? Version(view) : new GrayVersionHeader());
    }

    public async ValueTask HistoryAsync(RemotingRequest request, GetGrayHistoryHeader header)
    {
        IReadOnlyList<GrayAuditRow> rows = await TryAsync(() => state.ReadHistoryAsync(
            string.IsNullOrEmpty(header.Subject) ? null : header.Subject,
            header.Before,
            Math.Clamp(header.MaxCount, 1, MaxHistory),
            CancellationToken.None)).ConfigureAwait(false);
        request.Reply(BodyCodec.Encode(new GrayHistory
        {
            Entries =
            [
                .. rows.Select(row => new GrayHistoryEntry
                {
                    At = row.Audit.AtMs,
                    Command = row.Audit.Command,
                    Epoch = row.Version.Epoch,
                    From = row.Audit.From,
                    Operator = row.Audit.Operator,
                    Subject = row.Audit.Subject,
                    Summary = row.Audit.Summary,
                    Version = row.Version.Version,
                }),
            ],
        }));
    }

    public ValueTask StatusAsync(RemotingRequest request, NoHeader header)
    {
        GrayView? view = state.View;
        var status = new GrayStatus { DatabaseProblem = state.Problem, Version = GetGrayStateHeader.NoVersion };
        if (view is not null)
        {
            status.Epoch = view.Version.Epoch;
            status.Version = view.Version.Version;
            status.Changes = [.. view.Changes.Select(change => Describe(view, change))];
            status.Warnings = [.. Warnings(view)];
        }

        status.Brokers =
        [
            .. brokers.Names.Union(view?.Brokers ?? [], StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(name =>
            {
                GrayBrokerReport? report = brokers.Find(name);
                return new GrayStatusOfBroker
                {
                    Name = name,
                    ReportedAt = report?.AtMs ?? 0,
                    Version = report?.Progress is { Version.IsNone: false } progress && progress.Version.Epoch == view?.Version.Epoch
                        ? progress.Version.Version
                        : GetGrayStateHeader.NoVersion,
                };
            }),
        ];
        request.Reply(BodyCodec.Encode(status));
        return ValueTask.CompletedTask;
    }

    private static GrayVersionHeader Version(GrayView view) =>
        new() { Epoch = view.Version.Epoch, Version = view.Version.Version };

    private static void Note(bool noted)
    {
        if (!noted)
        {
            throw new RemotingException(
                ResponseCode.SystemError, $"{NameServerLimits.MaxNodes} brokers act on the gray state, which is the limit");
        }
    }

    private static async Task<T> TryAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (GrayDatabaseException e)
        {
            throw new RemotingException(
                ResponseCode.GrayUnavailable,
                e.MayHaveChanged ? $"it is not known whether the change was made, the history will tell: {e.Message}" : e.Message);
        }
    }

    private GrayStatusOfChange Describe(GrayView view, GrayOngoing change) => new()
    {
        Action = change.Action,
        Subject = GrayNames.SubjectOf(change.Name),
        StartedAt = change.StartedMs,
        Version = change.Since,
        Parts =
        [
            .. change.Parts.Keys.Order(StringComparer.Ordinal)
                .Select(broker => GrayParts.Describe(view, change, broker, brokers.Find(broker)?.Progress)),
        ],
    };

    private IEnumerable<string> Warnings(GrayView view)
    {
        foreach (GrayTopic topic in view.Snapshot.Topics)
        {
            // A broker that has just come shows a part of its write queues.
            foreach (QueueData at in routes.ListQueues(topic.Name).Where(
                at => at.ReadQueueNums != topic.Queues || at.WriteQueueNums > topic.Queues))
            {
                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"broker {at.BrokerName} has {at.ReadQueueNums} queues of topic {topic.Name}, the gray state says {topic.Queues}: "
                    + $"switch the topic off and on again");
            }
        }
    }
}
