using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Broker.Lifecycle;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Sending;

/// <summary>
/// Sends producers elsewhere that do not see it in the routes: rocketmq-client-nodejs goes by the first route that it was told. While the
/// broker leaves, a message's first try is refused once producers ought to know, and its second one is taken. On the refusal a
/// client library puts the broker aside and tries another one; one that knows no other comes back at once. Neither shows the
/// application an error, and the broker becomes quiet before it stops.
/// </summary>
internal sealed class FirstTries(SendGate gate)
{
    // The next try follows within moments; whoever is forgotten by then tries once more.
    private const int MaxRemembered = 64 * 1024;

    // Those of client libraries have 34.
    private const int MaxIdChars = 64;

    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    private readonly Queue<string> _inOrder = new();

    /// <exception cref="MessagingException">It is to be sent to another broker.</exception>
    public void Enter(Caller caller, string topic, IReadOnlyList<V2.Message> messages)
    {
        if (gate.IsLeftBehind(topic) && TriesAgain(caller, messages) && IsFirst(messages[0].SystemProperties.MessageId))
        {
            throw new MessagingException(V2.Code.InternalServerError, gate.Refusal);
        }
    }

    // Transactions are tried once, and messages of a group at one queue only. A library that does not tell its attempts makes three.
    private static bool TriesAgain(Caller caller, IReadOnlyList<V2.Message> messages) =>
        caller.Client?.Settings is { BackoffPolicy: null or { MaxAttempts: > 1 } }
        && messages.All(message => message.SystemProperties is
        {
            MessageType: not V2.MessageType.Transaction,
            MessageGroup.Length: 0,
            MessageId.Length: > 0 and <= MaxIdChars,
        });

    private bool IsFirst(string id)
    {
        lock (_refused)
        {
            if (_refused.Remove(id))
            {
                return false;
            }

            if (_inOrder.Count == MaxRemembered)
            {
                _refused.Remove(_inOrder.Dequeue());
            }

            _refused.Add(id);
            _inOrder.Enqueue(id);
            return true;
        }
    }
}
