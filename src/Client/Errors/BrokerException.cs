using GrayMQ.Protocol.Commands;

namespace GrayMQ.Client.Errors;

/// <summary>A server answered, and the answer is an error. The message holds the server's remark.</summary>
public sealed class BrokerException : GrayMQException
{
    /// <param name="code">What the server answered.</param>
    /// <param name="address">Who answered, <c>host:port</c>.</param>
    /// <param name="remark">The server's own words.</param>
    public BrokerException(ResponseCode code, string address, string? remark)
        : base($"{address} answered {code} ({(int)code}): {remark}")
    {
        Code = code;
        Address = address;
        Remark = remark;
    }

    /// <inheritdoc cref="BrokerException"/>
    public BrokerException()
    {
    }

    /// <inheritdoc cref="BrokerException"/>
    public BrokerException(string message)
        : base(message)
    {
    }

    /// <inheritdoc cref="BrokerException"/>
    public BrokerException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>How the request ended.</summary>
    public ResponseCode Code { get; } = ResponseCode.SystemError;

    /// <summary>Who answered, <c>host:port</c>; null when that is not known.</summary>
    public string? Address { get; }

    /// <summary>The server's own words.</summary>
    public string? Remark { get; }
}
