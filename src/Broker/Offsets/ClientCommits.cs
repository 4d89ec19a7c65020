using System.Net;
using System.Text;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Topics;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Broker.Offsets;

/// <summary>
/// Takes over the offsets that clients say, with a commit or with a pull. One that was on its way while its topic was deleted is forgotten
/// with it: a topic that is made anew under the name begins anew.
/// </summary>
internal sealed class ClientCommits(TopicTable topics, ConsumerOffsetTable offsets)
{
    /// <param name="sides">Of the group, where it has any.</param>
    /// <param name="topic">As it was found when the request came.</param>
    /// <param name="client">Who says so, for the log.</param>
    /// <exception cref="GrayMQ.Remoting.Dispatch.RemotingException">There are no queues with such an id (INVALID_PARAMETER).</exception>
    public CommitOutcome Commit(
        GrayGroup? sides,
        ReadOnlySpan<byte> group,
        Topic topic,
        int queueId,
        long offset,
        RemotingPeer connection,
        EndPoint? client = null)
    {
        ReadOnlySpan<byte> name = topic.NameUtf8.Span;
        if (!ReferenceEquals(topics.Find(name), topic))
        {
            return CommitOutcome.Ignored;
        }

        CommitOutcome outcome = sides is null
            ? offsets.Commit(group, name, queueId, offset, client)
            : sides.Commit(group, name, queueId, offset, connection, client);

        // Whoever deletes a topic takes it away first and the offsets then: what was committed after that sees here that it is gone.
        // Other groups may have committed of the topic that is made anew already.
        if (!ReferenceEquals(topics.Find(name), topic))
        {
            offsets.RemoveTopic(Encoding.UTF8.GetString(group), topic.Name);
        }

        return outcome;
    }
}
