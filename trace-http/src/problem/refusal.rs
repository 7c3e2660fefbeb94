//! Everything that HTTP itself can be wrong about: one table, one line each.
//!
//! What a record can be wrong about is `trace_core::error::Rule`. The code is
//! stable for ever: clients branch on it.

use axum::http::StatusCode;

use crate::language::Language;

macro_rules! refusals {
    ($($variant:ident $status:ident $code:literal $title:literal $zh:literal
        => $remedy:literal $remedy_zh:literal;)*) => {
        /// Why a request is refused before a record is looked at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each variant's meaning is its title, in the table")]
        pub enum Refusal { $($variant,)* }

        impl Refusal {
            /// Every refusal there is.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$variant,)*];

            /// The status it is answered with.
            pub fn status(self) -> StatusCode {
                match self { $(Refusal::$variant => StatusCode::$status,)* }
            }

            /// The stable, machine-readable code.
            pub fn code(self) -> &'static str {
                match self { $(Refusal::$variant => $code,)* }
            }

            /// What is wrong, in one line.
            pub fn title(self, language: Language) -> &'static str {
                match self { $(Refusal::$variant => language.of($title, $zh),)* }
            }

            /// What to do about it.
            pub fn remedy(self, language: Language) -> &'static str {
                match self { $(Refusal::$variant => language.of($remedy, $remedy_zh),)* }
            }
        }
    };
}

refusals! {
    // the head
    HeadMalformed BAD_REQUEST "head_malformed" "The request head is not HTTP/1.1" "请求头不符合HTTP/1.1"
        => "Send a request as RFC 9112 has it, lines ending in CRLF" "请按RFC 9112发送请求,行尾为CRLF";
    HeadTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE "head_too_large" "The request head is too large" "请求头过大"
        => "Send fewer and shorter header fields" "请减少请求头的字段数与长度";
    HeadTooSlow REQUEST_TIMEOUT "head_too_slow" "The request head did not arrive in time" "请求头未及时到达"
        => "Send the request again" "请重新发送";
    VersionUnsupported HTTP_VERSION_NOT_SUPPORTED "version_unsupported" "This HTTP version is not spoken here" "不支持该HTTP版本"
        => "Use HTTP/1.1" "请使用HTTP/1.1";
    TargetMalformed BAD_REQUEST "target_malformed" "The request target is not one this server can have" "请求目标有误"
        => "Ask for a path, beginning with /" "请以 / 开头的路径请求";
    HostMissing BAD_REQUEST "host_missing" "There is no Host" "缺少Host"
        => "Send one Host field" "请发送一个Host字段";
    HostDuplicate BAD_REQUEST "host_duplicate" "There is more than one Host" "Host重复"
        => "Send one Host field" "请只发送一个Host字段";
    HostMalformed BAD_REQUEST "host_malformed" "The Host is not a host name with an optional port" "Host格式有误"
        => "Send one Host field with a host name" "请在Host字段中填写主机名";
    LengthMalformed BAD_REQUEST "length_malformed" "The Content-Length is not a number" "Content-Length不是数字"
        => "Send one Content-Length of digits alone" "Content-Length请只填数字";
    LengthDuplicate BAD_REQUEST "length_duplicate" "There is more than one Content-Length" "Content-Length重复"
        => "Send one Content-Length" "请只发送一个Content-Length";
    LengthAndTransferEncoding BAD_REQUEST "length_and_transfer_encoding"
        "Content-Length and Transfer-Encoding stand together" "Content-Length与Transfer-Encoding并存"
        => "Send one of the two" "两者只能取其一";
    TransferEncoding BAD_REQUEST "transfer_encoding_unsupported" "The transfer encoding is not chunked alone" "传输编码只能为chunked"
        => "Send the body with Content-Length, or chunked" "请用Content-Length或chunked发送正文";
    // the body
    BodyMalformed BAD_REQUEST "body_malformed" "The body could not be read to its end" "请求正文无法读完"
        => "Send the request again, with the whole body" "请重新发送完整的请求";
    BodyTooLarge PAYLOAD_TOO_LARGE "body_too_large" "The body is too large" "请求正文过大"
        => "Send less at a time" "请分批发送";
    BodyTooSlow REQUEST_TIMEOUT "body_too_slow" "The body did not arrive in time" "请求正文未及时到达"
        => "Send it again: what was sent before is recognised" "请重新发送:已提交的内容会被识别";
    MediaType UNSUPPORTED_MEDIA_TYPE "media_type_unsupported" "This media type is not read here" "不支持该媒体类型"
        => "Send the media type that the detail names" "请使用说明中给出的媒体类型";
    TextMalformed BAD_REQUEST "text_malformed_utf8" "The body is not UTF-8" "请求正文不是UTF-8"
        => "Encode the text as UTF-8" "请以UTF-8编码";
    JsonMalformed BAD_REQUEST "json_malformed" "The body is not JSON" "请求正文不是JSON"
        => "Mend the JSON at the line and column named" "请在所示行列修正JSON";
    JsonUnexpected BAD_REQUEST "json_unexpected" "The JSON has not the form wanted" "JSON内容与要求不符"
        => "Give exactly the fields wanted: unknown ones are refused" "请只填写所要求的字段,未知字段不予接受";
    FormUnexpected BAD_REQUEST "form_unexpected" "The form has not the fields wanted" "表单字段与要求不符"
        => "Open the form again and fill it in" "请重新打开表单填写";
    ForeignForm FORBIDDEN "foreign_form" "The form was sent from another site" "表单来自其他网站"
        => "Open the page of this site and fill the form in there" "请打开本站页面填写";
    QueryUnexpected BAD_REQUEST "query_unexpected" "The query has not the form wanted" "查询参数与要求不符"
        => "Give exactly the parameters wanted: unknown ones are refused" "请只填写所要求的参数,未知参数不予接受";
    IdempotencyKey BAD_REQUEST "idempotency_key_wanted" "There is no usable Idempotency-Key" "缺少可用的Idempotency-Key"
        => "Send one Idempotency-Key of 1 to 64 printable ASCII characters, and the same one when you retry"
           "请发送一个1至64位可见ASCII字符的Idempotency-Key,重试时使用同一个";
    MappingMalformed BAD_REQUEST "mapping_malformed" "The mapping does not say what stands where in the file" "映射与文件不符"
        => "Mend what the detail names; `trace cold map FILE` shows what can be understood of a file" "请修正说明所指之处;可用 trace cold map FILE 查看对文件的识别结果";
    MappingAbsent UNPROCESSABLE_ENTITY "mapping_absent" "No mapping is saved for this equipment" "该设备没有已保存的映射"
        => "Give one as the parameter mapping, or save one" "请用mapping参数给出,或先保存";
    TableMalformed UNPROCESSABLE_ENTITY "table_malformed" "Rows of the file are wrong, and none was taken" "文件中有错误的行,全部未接受"
        => "Mend the rows named in complaints, or send it with rows=valid to take the others" "请修正complaints所列各行,或用rows=valid只接受其余各行";
    // the address
    RouteUnknown NOT_FOUND "route_unknown" "There is nothing at this address" "该地址不存在"
        => "Check the address" "请核对地址";
    ScriptOutdated NOT_FOUND "script_outdated" "This script is of another version of the program" "该脚本属于程序的其他版本"
        => "Load the page again" "请重新载入页面";
    MethodUnsupported METHOD_NOT_ALLOWED "method_unsupported" "This address does not answer to this method" "该地址不支持此方法"
        => "Use a method that the Allow field names" "请使用Allow字段所列的方法";
    NotOnLedger NOT_FOUND "not_on_ledger" "This is not on the ledger" "账本中没有此项"
        => "Check what you typed against the label; it may be on another ledger" "请对照标签核对;也可能登记在其他账本";
    // labels
    LabelUnknown BAD_REQUEST "label_unknown" "There is no such label" "没有这种标签"
        => "Ask for a form and a size that the detail names" "请选用说明中所列的格式与规格";
    LabelCount PAYLOAD_TOO_LARGE "label_count" "So many labels are not one file" "标签数量超出一个文件"
        => "Ask for fewer at a time" "请分批打印";
    LabelImpossible UNPROCESSABLE_ENTITY "label_impossible" "This label cannot be drawn" "无法绘制该标签"
        => "Mend what the detail names, or take a larger size" "请按说明修正,或选用更大的规格";
    LabelFont SERVICE_UNAVAILABLE "label_font_missing" "The server has no font with Chinese characters" "服务器没有中文字体"
        => "Tell the operator: install fonts-noto-cjk, or set label_font" "请告知运维人员:安装 fonts-noto-cjk,或设置 label_font";
    // the server
    RequestMalformed BAD_REQUEST "request_malformed" "The request cannot be read" "请求无法识别"
        => "Check the request against the documentation" "请对照文档检查请求";
    Busy SERVICE_UNAVAILABLE "busy" "The server is at its limit" "服务繁忙"
        => "Wait a moment and send it again: what was sent before is recognised" "请稍候重试:已提交的内容会被识别";
    ReadingsBusy TOO_MANY_REQUESTS "readings_busy" "Readings come faster than the disk takes them" "读数到达过快,磁盘来不及写入"
        => "Wait as Retry-After says and send the same again: nothing of it was taken" "请按Retry-After等待后重发:本次均未写入";
    TooSlow SERVICE_UNAVAILABLE "answer_too_slow" "The answer was not ready in time" "未能及时作答"
        => "Send it again: what was sent before is recognised" "请重新发送:已提交的内容会被识别";
    TooOften TOO_MANY_REQUESTS "too_often" "This address asks too often" "请求过于频繁"
        => "Wait a moment; whoever knows the trace code asks for that" "请稍候重试;已知追溯码的请直接查询追溯码";
    Failed INTERNAL_SERVER_ERROR "failed" "The server failed" "服务器内部错误"
        => "Send it again; if it fails again, tell the operator the time" "请重试;若仍失败,请将时间告知运维人员";
    ClockSuspect SERVICE_UNAVAILABLE "clock_suspect" "The ledger does not trust its clock and writes nothing" "账本时钟异常,暂停写入"
        => "Wait for the operator to confirm the clock, then send it again" "请等待运维人员确认时钟后重试";
    ReadOnly SERVICE_UNAVAILABLE "ledger_read_only" "The ledger is open for reading only" "账本当前只读"
        => "Wait for the operator, then send it again" "请等待运维人员处理后重试";
}

impl Refusal {
    /// The refusal that stands for a bare status, such as a router's own 404.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::RouteUnknown,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodUnsupported,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::MediaType,
            StatusCode::REQUEST_TIMEOUT => Self::BodyTooSlow,
            StatusCode::TOO_MANY_REQUESTS => Self::ReadingsBusy,
            StatusCode::SERVICE_UNAVAILABLE => Self::Busy,
            status if status.is_client_error() => Self::RequestMalformed,
            _ => Self::Failed,
        }
    }
}
