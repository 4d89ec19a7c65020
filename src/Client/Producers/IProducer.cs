using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Producers;

/// <summary>Sends messages.</summary>
public interface IProducer
{
    /// <summary>
    /// Sends a message and waits until a broker has acknowledged it. Queues take turns; an attempt that fails is repeated at another
    /// broker where there is one.
    /// </summary>
    /// <exception cref="ArgumentException">The message cannot be sent: its topic, size or properties are wrong.</exception>
    /// <exception cref="Errors.SendFailedException">No broker acknowledged it within the attempts and the time there are.</exception>
    /// <exception cref="Errors.BrokerException">A broker refused it for a reason that holds for every broker.</exception>
    /// <exception cref="Errors.RouteNotFoundException">The topic does not exist and is not created by sending to it.</exception>
    /// <exception cref="Errors.NameServersUnavailableException">No name server answered, and no route is known.</exception>
    Task<SendResult> SendAsync(Message message, CancellationToken cancel = default);

    /// <summary>Sends a message to one queue and waits until its broker has acknowledged it; there is one attempt.</summary>
    /// <exception cref="ArgumentException">The message cannot be sent: its topic, size or properties are wrong.</exception>
    /// <exception cref="Errors.BrokerException">The broker refused it.</exception>
    /// <exception cref="TimeoutException">No answer came in time: the message may have been stored.</exception>
    /// <exception cref="IOException">The connection could not be made, or ended before the answer.</exception>
    Task<SendResult> SendAsync(Message message, MessageQueue queue, CancellationToken cancel = default);

    /// <summary>Sends a message to the queue that <paramref name="selector"/> chooses; there is one attempt.</summary>
    /// <inheritdoc cref="SendAsync(Message, MessageQueue, CancellationToken)"/>
    Task<SendResult> SendAsync(Message message, QueueSelector selector, CancellationToken cancel = default);

    /// <summary>
    /// Sends messages of one topic in one request; they are stored one behind the other in one queue. <see cref="MessageBatch"/> cuts
    /// what is too large.
    /// </summary>
    /// <inheritdoc cref="SendAsync(Message, CancellationToken)"/>
    Task<SendResult> SendBatchAsync(IReadOnlyList<Message> messages, CancellationToken cancel = default);

    /// <summary>Sends a message that no broker acknowledges: fast, and lost without notice when anything goes wrong.</summary>
    /// <exception cref="ArgumentException">The message cannot be sent: its topic, size or properties are wrong.</exception>
    /// <exception cref="IOException">The connection could not be made.</exception>
    Task SendOneWayAsync(Message message, CancellationToken cancel = default);

    /// <summary>As <see cref="SendOneWayAsync(Message, CancellationToken)"/>, to the queue that the selector chooses.</summary>
    /// <inheritdoc cref="SendOneWayAsync(Message, CancellationToken)"/>
    Task SendOneWayAsync(Message message, QueueSelector selector, CancellationToken cancel = default);

    /// <summary>
    /// Takes a delayed message back: it will not be delivered. The broker has to allow it (recallMessageEnable), and takes the request while
    /// the message is pending; one that is due within the same moments may be delivered all the same.
    /// </summary>
    /// <param name="topic">The message's topic.</param>
    /// <param name="recallHandle">What <see cref="SendResult.RecallHandle"/> held.</param>
    /// <returns>The message's id.</returns>
    /// <exception cref="FormatException">It is no recall handle.</exception>
    /// <exception cref="ArgumentException">It is the handle of a message of another topic.</exception>
    /// <exception cref="Errors.BrokerException">The broker refused: recalls are forbidden there, or the message's time has come.</exception>
    /// <exception cref="Errors.RouteNotFoundException">The broker that has the message is not there.</exception>
    /// <exception cref="TimeoutException">No answer came in time: the message may have been taken back.</exception>
    /// <exception cref="IOException">The broker cannot be reached.</exception>
    Task<string> RecallAsync(string topic, string recallHandle, CancellationToken cancel = default);

    /// <summary>
    /// Sends a message and waits until whoever handles it replies. A broker must be able to hand the reply to this producer: it comes over
    /// a connection that the producer holds anyway.
    /// </summary>
    /// <param name="timeout">The time until the reply, sending included.</param>
    /// <returns>The reply. It is in no queue: its offsets mean nothing.</returns>
    /// <exception cref="TimeoutException">No reply came in time: the message may have been handled.</exception>
    /// <inheritdoc cref="SendAsync(Message, CancellationToken)"/>
    Task<Protocol.Messages.ReceivedMessage> RequestAsync(Message message, TimeSpan timeout, CancellationToken cancel = default);

    /// <summary>Answers a message that was sent with <see cref="RequestAsync"/>; consumers can do so themselves as well.</summary>
    /// <param name="request">As it was received.</param>
    /// <param name="body">The reply: at least one byte.</param>
    /// <exception cref="ArgumentException">The message is no request, or the body is empty.</exception>
    /// <exception cref="Errors.BrokerException">The broker does not know whoever asked any more.</exception>
    /// <exception cref="Errors.RouteNotFoundException">No broker of the cluster takes replies.</exception>
    /// <exception cref="TimeoutException">No answer came in time.</exception>
    /// <exception cref="IOException">The broker cannot be reached.</exception>
    Task ReplyAsync(Protocol.Messages.ReceivedMessage request, ReadOnlyMemory<byte> body, CancellationToken cancel = default);

    /// <summary>The topic's writable queues, by broker name and queue id.</summary>
    /// <exception cref="Errors.RouteNotFoundException">The topic does not exist and is not created by sending to it.</exception>
    Task<IReadOnlyList<MessageQueue>> GetQueuesAsync(string topic, CancellationToken cancel = default);
}
