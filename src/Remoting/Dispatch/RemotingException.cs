using GrayMQ.Protocol.Commands;

namespace GrayMQ.Remoting.Dispatch;

/// <summary>A request that ends with a response code other than success; the message becomes the remark.</summary>
public sealed class RemotingException : Exception
{
    public RemotingException(ResponseCode code, string remark)
        : base(remark)
    {
        Code = code;
    }

    public RemotingException()
        : this(ResponseCode.SystemError, "system error")
    {
    }

    public RemotingException(string message)
        : this(ResponseCode.SystemError, message)
    {
    }

    public RemotingException(string message, Exception innerException)
        : base(message, innerException)
    {
        Code = ResponseCode.SystemError;
    }

    public ResponseCode Code { get; }
}
