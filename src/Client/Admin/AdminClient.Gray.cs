using GrayMQ.Client.Errors;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Headers.NameServer;

namespace GrayMQ.Client.Admin;

/// <content>Gray releases: topics with queues of their own for gray messages, and groups with a gray side.</content>
public sealed partial class AdminClient
{
    // A name server asks the brokers first, for 3 s at most, and may then wait for its database twice over (grayDatabaseTimeout), behind somebody
    // else who does. It says what is wrong; who asks another one meanwhile would have given his command twice.
    private static readonly TimeSpan GrayDatabaseWait = TimeSpan.FromSeconds(30);

    /// <summary>The gray state; null when the name server knows none, which is not the same as that nothing is gray.</summary>
    public async Task<GraySnapshot?> FindGrayStateAsync(CancellationToken cancel = default)
    {
        RemotingCommand answer = await _session.NameServers
            .CallAsync(RequestCode.GetGrayState, new GetGrayStateHeader(), cancel).ConfigureAwait(false);
        return GetGrayStateResponseHeader.Read(answer.Fields).Answer == GrayStateAnswer.Snapshot
            ? GrayJson.DecodeSnapshot(answer.Body)
            : null;
    }

    /// <summary>Changes the gray state by one command.</summary>
    /// <param name="by">Who wants it, for the history.</param>
    /// <param name="decidedBy">The version that was decided by; null takes the newest. Another version is <see cref="ResponseCode.GrayConflict"/>.</param>
    /// <returns>The version after it, and what came of it in words.</returns>
    /// <exception cref="BrokerException">It is refused, and nothing has changed; the remark says why.</exception>
    public async Task<(GrayVersion Version, string Summary)> ChangeGrayStateAsync(
        GrayCommand command, string by, GrayVersion? decidedBy = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(command);
        var header = new ChangeGrayStateHeader
        {
            Epoch = decidedBy?.Epoch,
            Version = decidedBy?.Version ?? GetGrayStateHeader.NoVersion,
            Operator = by,
        };
        RemotingCommand answer = await _session.NameServers
            .CallAsync(RequestCode.ChangeGrayState, header, cancel, BodyCodec.Encode(command), GrayDatabaseWait).ConfigureAwait(false);
        GrayVersionHeader version = GrayVersionHeader.Read(answer.Fields);
        return (new GrayVersion(version.Epoch ?? "", version.Version), answer.Remark ?? "");
    }

    /// <summary>What is under way with the gray state, and how far brokers have come with it.</summary>
    public async Task<GrayStatus> GetGrayStatusAsync(CancellationToken cancel = default) => Decode<GrayStatus>(
        await _session.NameServers.CallAsync(RequestCode.GetGrayStatus, default(NoHeader), cancel).ConfigureAwait(false));

    /// <summary>What was changed, the newest first.</summary>
    /// <param name="subject">Only what is about this topic or group; null for all.</param>
    /// <param name="maxCount">How many at most; the server may give fewer.</param>
    /// <param name="before">Only what made a version before this one; 0 begins with the newest.</param>
    public async Task<IReadOnlyList<GrayHistoryEntry>> GetGrayHistoryAsync(
        string? subject, int maxCount, long before = 0, CancellationToken cancel = default) => Decode<GrayHistory>(
        await _session.NameServers.CallAsync(
            RequestCode.GetGrayHistory,
            new GetGrayHistoryHeader { Subject = subject, MaxCount = maxCount, Before = before },
            cancel,
            atLeast: GrayDatabaseWait).ConfigureAwait(false)).Entries;

    /// <summary>Which clients and queues are on which side at a broker.</summary>
    /// <param name="group">Only this group; null for all that have a release.</param>
    /// <param name="topic">Only queues of this topic; null for all.</param>
    public Task<BrokerGrayStatus> GetBrokerGrayStatusAsync(
        string address, string? group = null, string? topic = null, CancellationToken cancel = default) =>
        CallAsync<GetBrokerGrayStatusHeader, BrokerGrayStatus>(
            address, RequestCode.GetBrokerGrayStatus, new GetBrokerGrayStatusHeader { Group = group, Topic = topic }, cancel);
}
