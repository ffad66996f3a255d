<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
    <context>
        <name>kpviewer</name>
        <message>
            <source>An export is already running. Wait for it, or cancel it.</source>
            <translation>已有导出正在进行，请等待或取消。</translation>
        </message>
        <message>
            <source>{name} is compared with again once a single source is open.</source>
            <translation>只打开一个源时，将再次与 {name} 对比。</translation>
        </message>
        <message>
            <source>Back to {count} streams</source>
            <translation>返回 {count} 路视频</translation>
        </message>
        <message>
            <source>Opened alone.</source>
            <translation>已单独打开。</translation>
        </message>
        <message>
            <source>A file or folder name isn't valid UTF-8. Rename it.</source>
            <translation>文件名或文件夹名包含无效字符，请重命名。</translation>
        </message>
        <message>
            <source>It ended unexpectedly ({code}).</source>
            <translation>意外终止（{code}）。</translation>
        </message>
        <message>
            <source>It can't be started: {reason}.</source>
            <translation>无法启动：{reason}。</translation>
        </message>
        <message>
            <source>Objects get their numbers in the next frames.</source>
            <translation>目标将在接下来的帧中获得编号。</translation>
        </message>
        <message>
            <source>None</source>
            <translation>无</translation>
        </message>
        <message>
            <source>Demo</source>
            <translation>演示</translation>
        </message>
        <message>
            <source>Looking for cameras …</source>
            <translation>正在查找摄像头 …</translation>
        </message>
        <message>
            <source>No camera found</source>
            <translation>未找到摄像头</translation>
        </message>
        <message>
            <source>Opened the first of {count}. Drop a folder to see all of its images.</source>
            <translation>已打开 {count} 个文件中的第一个。拖入文件夹可查看其中所有图片。</translation>
        </message>
        <message>
            <source>{names} weren't opened. Drop each alone.</source>
            <translation>未打开 {names}。请分别单独拖入。</translation>
        </message>
        <message>
            <source>{name} wasn't opened. Drop it alone.</source>
            <translation>未打开 {name}。请单独拖入该文件。</translation>
        </message>
        <message>
            <source>Downloading everyday objects from {host} · {done:.1f} of {total:.1f} MB</source>
            <translation>正在从 {host} 下载日常物品模型 · {done:.1f} / {total:.1f} MB</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>Try again</source>
            <translation>重试</translation>
        </message>
        <message>
            <source>The layout is saved in {path}.</source>
            <translation>布局已保存到 {path}。</translation>
        </message>
        <message>
            <source>Automatic</source>
            <translation>自动</translation>
        </message>
        <message>
            <source>{n} class</source>
            <translation>{n} 个类别</translation>
        </message>
        <message>
            <source>{n} classes</source>
            <translation>{n} 个类别</translation>
        </message>
        <message>
            <source>{size:.0f} MB, downloaded once · BSD-3-Clause, COCO</source>
            <translation>{size:.0f} MB，仅下载一次 · BSD-3-Clause，COCO</translation>
        </message>
        <message>
            <source>Everyday objects · 80 classes</source>
            <translation>日常物品 · 80 个类别</translation>
        </message>
        <message>
            <source>Larger input, for far and small objects</source>
            <translation>更大的输入，用于远处和较小的目标</translation>
        </message>
        <message>
            <source>Device</source>
            <translation>设备</translation>
        </message>
        <message>
            <source>GPUs are listed once a model is loaded</source>
            <translation>加载模型后列出 GPU</translation>
        </message>
        <message>
            <source>No GPU found</source>
            <translation>未找到 GPU</translation>
        </message>
        <message>
            <source>Backend</source>
            <translation>推理后端</translation>
        </message>
        <message>
            <source>Backends are listed once a model is loaded</source>
            <translation>模型加载后会列出可用的推理后端</translation>
        </message>
        <message>
            <source>Recent</source>
            <translation>最近使用</translation>
        </message>
        <message>
            <source>Clear recent</source>
            <translation>清除最近记录</translation>
        </message>
        <message>
            <source>about {rate} MB a minute</source>
            <translation>约每分钟 {rate} MB</translation>
        </message>
        <message>
            <source>months</source>
            <translation>数月</translation>
        </message>
        <message>
            <source>about {rate} MB a minute; {free} GB free, {lasts}</source>
            <translation>约 {rate} MB/分钟；剩余 {free} GB，可录 {lasts}</translation>
        </message>
        <message>
            <source>There is no image to record yet.</source>
            <translation>还没有可录制的画面。</translation>
        </message>
        <message>
            <source>Recording to {folder}: {space}</source>
            <translation>正在录制到 {folder}：{space}</translation>
        </message>
        <message>
            <source>Recording to {folder} without results, as there is no model: {space}</source>
            <translation>正在录制到 {folder}，还没有模型，因此不记录结果：{space}</translation>
        </message>
        <message>
            <source>As the system</source>
            <translation>跟随系统</translation>
        </message>
        <message>
            <source>Dark</source>
            <translation>深色</translation>
        </message>
        <message>
            <source>Light</source>
            <translation>浅色</translation>
        </message>
        <message>
            <source>Theme</source>
            <translation>主题</translation>
        </message>
        <message>
            <source>Language</source>
            <translation>语言 (Language)</translation>
        </message>
        <message>
            <source>While a file is paused, run the model over the rest of it</source>
            <translation>文件暂停时，用模型处理其余部分</translation>
        </message>
        <message>
            <source>Scan while paused</source>
            <translation>暂停时扫描</translation>
        </message>
        <message>
            <source>Folder for recordings…</source>
            <translation>录像文件夹…</translation>
        </message>
        <message>
            <source>About kpviewer</source>
            <translation>关于 kpviewer</translation>
        </message>
        <message>
            <source>Profiles</source>
            <translation>配置方案</translation>
        </message>
        <message>
            <source>Load the profile {name}</source>
            <translation>加载配置方案 {name}</translation>
        </message>
        <message>
            <source>No profile yet</source>
            <translation>暂无配置方案</translation>
        </message>
        <message>
            <source>Save as profile…</source>
            <translation>另存为配置方案…</translation>
        </message>
        <message>
            <source>Delete profile</source>
            <translation>删除配置方案</translation>
        </message>
        <message>
            <source>The language changes at the next start.</source>
            <translation>语言将在下次启动时更改。</translation>
        </message>
        <message>
            <source>Save as profile</source>
            <translation>另存为配置方案</translation>
        </message>
        <message>
            <source>Name (an existing profile is replaced):</source>
            <translation>名称（同名将被替换）：</translation>
        </message>
        <message>
            <source>Name:</source>
            <translation>名称：</translation>
        </message>
        <message>
            <source>Recordings go to {folder}</source>
            <translation>录像保存到 {folder}</translation>
        </message>
        <message>
            <source>Panels</source>
            <translation>面板</translation>
        </message>
        <message>
            <source>Give each panel a title bar to drag, float and close it</source>
            <translation>为每个面板显示标题栏，可拖动、浮动和关闭</translation>
        </message>
        <message>
            <source>Move panels</source>
            <translation>移动面板</translation>
        </message>
        <message>
            <source>Return all panels to their default positions</source>
            <translation>将所有面板恢复到默认位置</translation>
        </message>
        <message>
            <source>Reset panels</source>
            <translation>重置面板</translation>
        </message>
        <message>
            <source>Open camera</source>
            <translation>打开摄像头</translation>
        </message>
        <message>
            <source>Open file</source>
            <translation>打开文件</translation>
        </message>
        <message>
            <source>Play the demo</source>
            <translation>播放演示</translation>
        </message>
        <message>
            <source>The end</source>
            <translation>已到末尾</translation>
        </message>
        <message>
            <source>no signal</source>
            <translation>无信号</translation>
        </message>
        <message>
            <source>no answer</source>
            <translation>无响应</translation>
        </message>
        <message>
            <source>{key} plays again</source>
            <translation>按 {key} 重播</translation>
        </message>
        <message>
            <source>Opening {name} …</source>
            <translation>正在打开 {name} …</translation>
        </message>
        <message>
            <source>Detecting … {seconds:.0f} s</source>
            <translation>正在检测 … {seconds:.0f} 秒</translation>
        </message>
        <message>
            <source>No signal for {seconds:.0f} s. Trying again.</source>
            <translation>已 {seconds:.0f} 秒无信号，正在重试。</translation>
        </message>
        <message>
            <source>No signal for {seconds:.0f} s · try {n}. Trying again.</source>
            <translation>已 {seconds:.0f} 秒无信号 · 第 {n} 次重试。</translation>
        </message>
        <message>
            <source>The file hasn't answered for {seconds:.0f} s. Check that its disk is connected.</source>
            <translation>文件已有 {seconds:.0f} 秒没有响应。请检查磁盘是否已连接。</translation>
        </message>
        <message>
            <source>The model hasn't answered for {seconds:.0f} s. Wait, or choose another one.</source>
            <translation>模型已有 {seconds:.0f} 秒没有响应。请等待，或选择另一个模型。</translation>
        </message>
        <message>
            <source>Starting {name} …</source>
            <translation>正在启动 {name} …</translation>
        </message>
        <message>
            <source>Loading model {name} …</source>
            <translation>正在加载模型 {name} …</translation>
        </message>
        <message>
            <source>Open a camera or a video to see what the model sees.</source>
            <translation>打开摄像头或视频，查看模型看到的内容。</translation>
        </message>
        <message>
            <source>Opening {name}</source>
            <translation>正在打开 {name}</translation>
        </message>
        <message>
            <source>Open {count} videos</source>
            <translation>打开 {count} 个视频</translation>
        </message>
        <message>
            <source>Open {name}</source>
            <translation>打开 {name}</translation>
        </message>
        <message>
            <source>Open model</source>
            <translation>打开模型</translation>
        </message>
        <message>
            <source>Saved profile {name}</source>
            <translation>已保存配置方案 {name}</translation>
        </message>
        <message>
            <source>Deleted profile {name}</source>
            <translation>已删除配置方案 {name}</translation>
        </message>
        <message>
            <source>Loaded profile {name}</source>
            <translation>已加载配置方案 {name}</translation>
        </message>
        <message>
            <source>Restored profile {name}</source>
            <translation>已恢复配置方案 {name}</translation>
        </message>
        <message>
            <source>Recent items cleared.</source>
            <translation>已清除最近记录。</translation>
        </message>
        <message>
            <source>Recent items restored.</source>
            <translation>已恢复最近记录。</translation>
        </message>
        <message>
            <source>{name} isn't there any more. {other} is used.</source>
            <translation>{name} 已不存在，改用 {other}。</translation>
        </message>
        <message>
            <source>Add cameras, videos or streams to see them side by side.</source>
            <translation>添加摄像头、视频或网络流，并排观看。</translation>
        </message>
        <message>
            <source>Add a stream</source>
            <translation>添加视频流</translation>
        </message>
        <message>
            <source>1 stream</source>
            <translation>1 路视频</translation>
        </message>
        <message>
            <source>{count} streams</source>
            <translation>{count} 路视频</translation>
        </message>
        <message>
            <source>{count} not opened: a grid shows at most {most} streams. Remove some first.</source>
            <translation>有 {count} 路未打开：网格最多显示 {most} 路视频。请先移除一些。</translation>
        </message>
        <message>
            <source>Annotations need a single source. Open it alone, then drop them there.</source>
            <translation>标注只能用于单个源。请单独打开该源，再把标注拖到那里。</translation>
        </message>
        <message>
            <source>The grid is full</source>
            <translation>网格已满</translation>
        </message>
        <message>
            <source>Remove a stream</source>
            <translation>移除视频流</translation>
        </message>
        <message>
            <source>Speed: {speeds}</source>
            <translation>速度：{speeds}</translation>
        </message>
        <message>
            <source>Files begin again at their end.</source>
            <translation>文件播放到末尾后从头开始。</translation>
        </message>
        <message>
            <source>Files stop at their end.</source>
            <translation>文件播放到末尾后停止。</translation>
        </message>
        <message>
            <source>There is no image to save yet.</source>
            <translation>还没有可保存的画面。</translation>
        </message>
        <message>
            <source>Recording the grid to {folder}: {space}</source>
            <translation>正在录制网格到 {folder}：{space}</translation>
        </message>
        <message>
            <source>Recording 1 stream to {folder}: {space}</source>
            <translation>正在录制 1 路视频到 {folder}：{space}</translation>
        </message>
        <message>
            <source>Recording {count} streams to {folder}: {space}</source>
            <translation>正在录制 {count} 路视频到 {folder}：{space}</translation>
        </message>
        <message>
            <source>and {count} more, on the tiles</source>
            <translation>另有 {count} 条消息，见各画面</translation>
        </message>
        <message>
            <source>Remove</source>
            <translation>移除</translation>
        </message>
        <message>
            <source>failed</source>
            <translation>失败</translation>
        </message>
        <message>
            <source>opening</source>
            <translation>正在打开</translation>
        </message>
        <message>
            <source>ended</source>
            <translation>已结束</translation>
        </message>
        <message>
            <source>waiting for the model</source>
            <translation>等待模型</translation>
        </message>
        <message>
            <source>paused</source>
            <translation>已暂停</translation>
        </message>
        <message>
            <source>{ms:.0f} ms</source>
            <translation>{ms:.0f} ms</translation>
        </message>
        <message>
            <source>{count} not shown</source>
            <translation>未显示 {count} 帧</translation>
        </message>
        <message>
            <source>All streams</source>
            <translation>所有视频流</translation>
        </message>
        <message>
            <source>Recording</source>
            <translation>录制</translation>
        </message>
        <message>
            <source>{count} lost</source>
            <translation>丢失 {count} 帧</translation>
        </message>
        <message>
            <source>Streams</source>
            <translation>视频流</translation>
        </message>
        <message>
            <source>Arrows</source>
            <translation>方向键</translation>
        </message>
        <message>
            <source>Move between the streams</source>
            <translation>在视频流之间移动</translation>
        </message>
        <message>
            <source>Enter, click</source>
            <translation>Enter、单击</translation>
        </message>
        <message>
            <source>Enlarge a stream; Esc returns</source>
            <translation>放大一路视频；按 Esc 返回</translation>
        </message>
        <message>
            <source>Delete</source>
            <translation>Delete</translation>
        </message>
        <message>
            <source>Right-click</source>
            <translation>右键单击</translation>
        </message>
        <message>
            <source>Menu</source>
            <translation>菜单</translation>
        </message>
        <message>
            <source>Removed {name}</source>
            <translation>已移除 {name}</translation>
        </message>
        <message>
            <source>Enlarge</source>
            <translation>放大</translation>
        </message>
        <message>
            <source>Open again</source>
            <translation>重新打开</translation>
        </message>
        <message>
            <source>Open alone</source>
            <translation>单独打开</translation>
        </message>
        <message>
            <source>Play</source>
            <translation>播放</translation>
        </message>
        <message>
            <source>Source</source>
            <translation>源</translation>
        </message>
        <message>
            <source>Save</source>
            <translation>保存</translation>
        </message>
        <message>
            <source>View</source>
            <translation>视图</translation>
        </message>
        <message>
            <source>Help</source>
            <translation>帮助</translation>
        </message>
        <message>
            <source>Play or pause</source>
            <translation>播放/暂停</translation>
        </message>
        <message>
            <source>Back 5 s</source>
            <translation>后退 5 秒</translation>
        </message>
        <message>
            <source>Forward 5 s</source>
            <translation>前进 5 秒</translation>
        </message>
        <message>
            <source>Previous frame</source>
            <translation>上一帧</translation>
        </message>
        <message>
            <source>Next frame</source>
            <translation>下一帧</translation>
        </message>
        <message>
            <source>To the start</source>
            <translation>回到开头</translation>
        </message>
        <message>
            <source>Slower</source>
            <translation>减速</translation>
        </message>
        <message>
            <source>Faster</source>
            <translation>加速</translation>
        </message>
        <message>
            <source>Loop</source>
            <translation>循环播放</translation>
        </message>
        <message>
            <source>A-B loop: set A, set B, off</source>
            <translation>A-B 循环：设 A、设 B、关闭</translation>
        </message>
        <message>
            <source>Go to a frame or time</source>
            <translation>跳转到帧或时间</translation>
        </message>
        <message>
            <source>Mark or unmark this frame</source>
            <translation>标记或取消标记当前帧</translation>
        </message>
        <message>
            <source>Next mark or worst frame</source>
            <translation>下一个标记或最差帧</translation>
        </message>
        <message>
            <source>Previous mark or worst frame</source>
            <translation>上一个标记或最差帧</translation>
        </message>
        <message>
            <source>Open folder</source>
            <translation>打开文件夹</translation>
        </message>
        <message>
            <source>Open URL</source>
            <translation>打开网址</translation>
        </message>
        <message>
            <source>Paste an address or path</source>
            <translation>粘贴地址或路径</translation>
        </message>
        <message>
            <source>Open annotations</source>
            <translation>打开标注</translation>
        </message>
        <message>
            <source>Scan the whole source, or stop</source>
            <translation>扫描整个源，或停止</translation>
        </message>
        <message>
            <source>Record</source>
            <translation>录制</translation>
        </message>
        <message>
            <source>Pause recording</source>
            <translation>暂停录制</translation>
        </message>
        <message>
            <source>Split the recording</source>
            <translation>分段录制</translation>
        </message>
        <message>
            <source>Save a snapshot</source>
            <translation>保存截图</translation>
        </message>
        <message>
            <source>Copy the image</source>
            <translation>复制图像</translation>
        </message>
        <message>
            <source>Export annotated video</source>
            <translation>导出带标注的视频</translation>
        </message>
        <message>
            <source>Fit the image</source>
            <translation>适应窗口</translation>
        </message>
        <message>
            <source>Zoom in</source>
            <translation>放大</translation>
        </message>
        <message>
            <source>Zoom out</source>
            <translation>缩小</translation>
        </message>
        <message>
            <source>Actual size</source>
            <translation>实际大小</translation>
        </message>
        <message>
            <source>Zoom to the object</source>
            <translation>放大到目标</translation>
        </message>
        <message>
            <source>Full screen</source>
            <translation>全屏</translation>
        </message>
        <message>
            <source>Leave full screen</source>
            <translation>退出全屏</translation>
        </message>
        <message>
            <source>Side panel</source>
            <translation>侧边栏</translation>
        </message>
        <message>
            <source>Plots</source>
            <translation>曲线图</translation>
        </message>
        <message>
            <source>Table of detections</source>
            <translation>检测结果表</translation>
        </message>
        <message>
            <source>Show the keys</source>
            <translation>显示快捷键</translation>
        </message>
        <message>
            <source>Quit</source>
            <translation>退出</translation>
        </message>
        <message>
            <source>Loading {name} …</source>
            <translation>正在加载 {name} …</translation>
        </message>
        <message>
            <source>Open a video…</source>
            <translation>打开视频…</translation>
        </message>
        <message>
            <source>My YOLO model…</source>
            <translation>我的 YOLO 模型…</translation>
        </message>
        <message>
            <source>No camera found. This is the demo.</source>
            <translation>未找到摄像头，正在播放演示。</translation>
        </message>
        <message>
            <source>There is nothing to export yet. Open a video first.</source>
            <translation>还没有可导出的内容，请先打开视频。</translation>
        </message>
        <message>
            <source>Only files and folders can be exported. Record a live source instead.</source>
            <translation>只能导出文件和文件夹；实时源请用录制。</translation>
        </message>
        <message>
            <source>The model isn't loaded yet. Try again in a moment.</source>
            <translation>模型尚未加载，请稍后再试。</translation>
        </message>
        <message>
            <source>No class is shown, so there is nothing to export. Show one first.</source>
            <translation>没有显示任何类别，因此没有可导出的内容。请先显示一个类别。</translation>
        </message>
        <message>
            <source>Starting the export of {name} …</source>
            <translation>开始导出 {name} …</translation>
        </message>
        <message>
            <source>Open annotations of this source first.</source>
            <translation>请先打开此源的标注。</translation>
        </message>
        <message>
            <source>Exporting {name} · {frames:,} frames</source>
            <translation>正在导出 {name} · {frames:,} 帧</translation>
        </message>
        <message>
            <source>Exporting {name} · 1 frame</source>
            <translation>正在导出 {name} · 1 帧</translation>
        </message>
        <message>
            <source>Exporting {name} · {frames:,} of {total:,} frames</source>
            <translation>正在导出 {name} · {frames:,} / {total:,} 帧</translation>
        </message>
        <message>
            <source>{name} can't be exported. {reason}</source>
            <translation>无法导出 {name}。{reason}</translation>
        </message>
        <message>
            <source>Export cancelled: the files hold the first {frames:,} frames.</source>
            <translation>导出已取消：文件包含前 {frames:,} 帧。</translation>
        </message>
        <message>
            <source>Export cancelled: the files hold the first frame.</source>
            <translation>导出已取消：文件包含第 1 帧。</translation>
        </message>
        <message>
            <source>Export cancelled.</source>
            <translation>导出已取消。</translation>
        </message>
        <message>
            <source>Saved {names}</source>
            <translation>已保存 {names}</translation>
        </message>
        <message>
            <source>Show</source>
            <translation>显示</translation>
        </message>
        <message>
            <source>All classes again</source>
            <translation>恢复所有类别</translation>
        </message>
        <message>
            <source>Only this class: {name}</source>
            <translation>仅此类别：{name}</translation>
        </message>
        <message>
            <source>there is no clipboard</source>
            <translation>没有剪贴板</translation>
        </message>
        <message>
            <source>Not copied: {reason}</source>
            <translation>未复制：{reason}</translation>
        </message>
        <message>
            <source>Image copied.</source>
            <translation>图像已复制。</translation>
        </message>
        <message>
            <source>Camera format</source>
            <translation>摄像头格式</translation>
        </message>
        <message>
            <source>Now {format}</source>
            <translation>当前 {format}</translation>
        </message>
        <message>
            <source>{rate:g} frames a second</source>
            <translation>每秒 {rate:g} 帧</translation>
        </message>
        <message>
            <source>in torch</source>
            <translation>使用 torch</translation>
        </message>
        <message>
            <source>in OpenVINO</source>
            <translation>使用 OpenVINO</translation>
        </message>
        <message>
            <source>in single precision (fp32)</source>
            <translation>单精度 (fp32)</translation>
        </message>
        <message>
            <source>in half precision (bf16)</source>
            <translation>半精度 (bf16)</translation>
        </message>
        <message>
            <source>in half precision (fp16)</source>
            <translation>半精度 (fp16)</translation>
        </message>
        <message>
            <source>in 8-bit integers (int8)</source>
            <translation>8 位整数 (int8)</translation>
        </message>
        <message>
            <source>Compare with…</source>
            <translation>对比模型…</translation>
        </message>
        <message>
            <source>Stop comparing</source>
            <translation>停止对比</translation>
        </message>
        <message>
            <source>The same model</source>
            <translation>同一模型</translation>
        </message>
        <message>
            <source>Open model…</source>
            <translation>打开模型…</translation>
        </message>
        <message>
            <source>The image is hidden until the model is ready: Anonymise is on.</source>
            <translation>匿名化已开启：模型就绪前不显示画面。</translation>
        </message>
        <message>
            <source>Lower confidence to {score:.2f}</source>
            <translation>将置信度降至 {score:.2f}</translation>
        </message>
        <message>
            <source>Larger input</source>
            <translation>更大的输入</translation>
        </message>
        <message>
            <source>Another model…</source>
            <translation>换一个模型…</translation>
        </message>
        <message>
            <source>Nothing found for {s} s: all classes are hidden.</source>
            <translation>已 {s} 秒没有检测结果：所有类别都已隐藏。</translation>
        </message>
        <message>
            <source>No {name} for {s} s: this model finds nothing else.</source>
            <translation>已 {s} 秒未检测到 {name}：该模型只能检测它。</translation>
        </message>
        <message>
            <source>{names} and {count} more</source>
            <translation>{names} 等另外 {count} 个</translation>
        </message>
        <message>
            <source>Nothing found for {s} s. Shown classes: {names}.</source>
            <translation>已 {s} 秒没有检测结果。显示的类别：{names}。</translation>
        </message>
        <message>
            <source>Nothing found for {s} s: this model finds {names}.</source>
            <translation>已 {s} 秒没有检测结果：该模型可检测 {names}。</translation>
        </message>
        <message>
            <source>Ground truth needs a file or folder source. Open one first.</source>
            <translation>真值需要文件或文件夹源，请先打开一个。</translation>
        </message>
        <message>
            <source>{speed} (slower than {chosen})</source>
            <translation>{speed}（慢于 {chosen}）</translation>
        </message>
        <message>
            <source>{speed} (slower than the video)</source>
            <translation>{speed}（慢于视频）</translation>
        </message>
        <message>
            <source>Nothing to scan yet: no source is open, or no model is loaded.</source>
            <translation>还没有可扫描的内容：没有打开源，或没有加载模型。</translation>
        </message>
        <message>
            <source>Every frame is scanned</source>
            <translation>每一帧都已扫描</translation>
        </message>
        <message>
            <source>No scan: this model or source can't be recognised when it is opened again.</source>
            <translation>无法扫描：再次打开时无法识别此模型或源。</translation>
        </message>
        <message>
            <source>This scan is too large for the window: frames that came first are left out of lanes and scores. The file of the scan keeps them.</source>
            <translation>扫描结果过大，窗口放不下：最先得到的帧不计入时间轴和评分。扫描文件中仍保留这些帧。</translation>
        </message>
        <message>
            <source>Only files and folders can be scanned: a live source can't be read again.</source>
            <translation>只能扫描文件和文件夹：实时源无法重新读取。</translation>
        </message>
        <message>
            <source>Only files and folders can be scanned.</source>
            <translation>只能扫描文件和文件夹。</translation>
        </message>
        <message>
            <source>This source or model exists only in this program: no other process can scan it.</source>
            <translation>此源或模型仅存在于本程序中，其他进程无法扫描。</translation>
        </message>
        <message>
            <source>This model gives classes of whole images, no boxes. kpviewer eval scores it.</source>
            <translation>此模型只给出整幅图像的类别，没有检测框。请用 kpviewer eval 评分。</translation>
        </message>
        <message>
            <source>{name} takes seconds a frame, so only some frames have detections.</source>
            <translation>{name} 处理一帧需要数秒，因此只有部分帧有检测结果。</translation>
        </message>
        <message>
            <source>{name} takes seconds a frame, so playback pauses. Step or seek to detect.</source>
            <translation>{name} 处理一帧需要数秒，因此播放已暂停。逐帧移动或跳转即可检测。</translation>
        </message>
        <message>
            <source>There is no image to export from.</source>
            <translation>没有可导出的画面。</translation>
        </message>
        <message>
            <source>annotations can't be compared</source>
            <translation>标注无法比较</translation>
        </message>
        <message>
            <source>needs annotations</source>
            <translation>需要标注</translation>
        </message>
        <message>
            <source>Only frames of files can be marked</source>
            <translation>只能标记文件中的帧</translation>
        </message>
        <message>
            <source>No mark yet. {key} marks this frame.</source>
            <translation>还没有标记。按 {key} 标记当前帧。</translation>
        </message>
        <message>
            <source>No mark yet.</source>
            <translation>还没有标记。</translation>
        </message>
        <message>
            <source>No more marks in this direction</source>
            <translation>此方向没有更多标记</translation>
        </message>
        <message>
            <source>Rotate and mirror</source>
            <translation>旋转和镜像</translation>
        </message>
        <message>
            <source>Rotate</source>
            <translation>旋转</translation>
        </message>
        <message>
            <source>Rotate by 90°</source>
            <translation>旋转 90°</translation>
        </message>
        <message>
            <source>Mirror</source>
            <translation>镜像</translation>
        </message>
        <message>
            <source>Original</source>
            <translation>原始方向</translation>
        </message>
        <message>
            <source>The clipboard holds no address or path. Copy one first.</source>
            <translation>剪贴板中没有地址或路径，请先复制一个。</translation>
        </message>
        <message>
            <source>{name} can't run on {device} here. It runs on {other}.</source>
            <translation>{name} 无法在此处的 {device} 上运行，改在 {other} 上运行。</translation>
        </message>
        <message>
            <source>{name} has no boxes. Compare with a model that has boxes.</source>
            <translation>{name} 没有边界框。请与输出边界框的模型对比。</translation>
        </message>
        <message>
            <source>{name} can't be loaded. {reason}</source>
            <translation>无法加载 {name}。{reason}</translation>
        </message>
        <message>
            <source>Faces and landmarks</source>
            <translation>人脸和关键点</translation>
        </message>
        <message>
            <source>Faces, precise landmarks (slower)</source>
            <translation>人脸，精确关键点（较慢）</translation>
        </message>
        <message>
            <source>Playing cards</source>
            <translation>扑克牌</translation>
        </message>
        <message>
            <source>Marks on steel strips</source>
            <translation>钢带上的标记</translation>
        </message>
        <message>
            <source>Everyday objects</source>
            <translation>日常物品</translation>
        </message>
        <message>
            <source>{name} can't run on {backend} here. It runs on {other}.</source>
            <translation>{name} 无法在此处用 {backend} 运行，改用 {other}。</translation>
        </message>
        <message>
            <source>No ground truth: the folder of {name} doesn't answer.</source>
            <translation>没有真值：{name} 所在的文件夹没有响应。</translation>
        </message>
        <message>
            <source>No ground truth: {reason}</source>
            <translation>无真值：{reason}</translation>
        </message>
        <message>
            <source>Nothing is compared with the ground truth. {reason}</source>
            <translation>未与真值比较。{reason}</translation>
        </message>
        <message>
            <source>Ground truth from {name}</source>
            <translation>真值来自 {name}</translation>
        </message>
        <message>
            <source>{name} can't be opened. {reason}</source>
            <translation>无法打开 {name}。{reason}</translation>
        </message>
        <message>
            <source>the first camera</source>
            <translation>第一个摄像头</translation>
        </message>
        <message>
            <source>camera {number}</source>
            <translation>摄像头 {number}</translation>
        </message>
        <message>
            <source>Annotated video (MP4)</source>
            <translation>带标注的视频 (MP4)</translation>
        </message>
        <message>
            <source>Video without the overlay (MP4)</source>
            <translation>不带叠加的视频 (MP4)</translation>
        </message>
        <message>
            <source>Detections: JSON Lines, one per frame</source>
            <translation>检测结果：JSON Lines，每帧一行</translation>
        </message>
        <message>
            <source>Detections: CSV, one row per detection</source>
            <translation>检测结果：CSV，每个结果一行</translation>
        </message>
        <message>
            <source>Detections: COCO results</source>
            <translation>检测结果：COCO 结果格式</translation>
        </message>
        <message>
            <source>Images with labels: Pascal VOC</source>
            <translation>带标签的图像：Pascal VOC</translation>
        </message>
        <message>
            <source>Images with labels: YOLO</source>
            <translation>带标签的图像：YOLO</translation>
        </message>
        <message>
            <source>Scores: report with curves and the worst frames</source>
            <translation>评分：含曲线和最差帧的报告</translation>
        </message>
        <message>
            <source>confidence {score:.2f}</source>
            <translation>置信度 {score:.2f}</translation>
        </message>
        <message>
            <source>IoU {iou:.2f}</source>
            <translation>IoU {iou:.2f}</translation>
        </message>
        <message>
            <source>{n} of {count} classes</source>
            <translation>{count} 个类别中的 {n} 个</translation>
        </message>
        <message>
            <source>tracked</source>
            <translation>已跟踪</translation>
        </message>
        <message>
            <source>anonymised</source>
            <translation>已匿名化</translation>
        </message>
        <message>
            <source>landmarks smoothed</source>
            <translation>已平滑关键点</translation>
        </message>
        <message>
            <source>The folder for recordings does not answer: {folder}. Check the disk or the network, or choose another folder.</source>
            <translation>录制文件夹没有响应：{folder}。请检查磁盘或网络，或选择其他文件夹。</translation>
        </message>
        <message>
            <source>The folder for recordings answers again.</source>
            <translation>录像文件夹恢复响应。</translation>
        </message>
        <message>
            <source>Cut off by a crash and unreadable: {names}.</source>
            <translation>因崩溃中断且无法读取：{names}。</translation>
        </message>
        <message>
            <source>Recovered after a crash: {names}. At most the last second is missing.</source>
            <translation>崩溃后已恢复：{names}。最多缺少最后一秒。</translation>
        </message>
        <message>
            <source>{name} may lack its end: the folder does not answer.</source>
            <translation>{name} 可能缺少结尾：文件夹没有响应。</translation>
        </message>
        <message>
            <source>The recording</source>
            <translation>录制</translation>
        </message>
        <message>
            <source>Nothing recorded: no frame came. Was the video paused?</source>
            <translation>没有录到内容：没有收到任何帧。视频是否已暂停？</translation>
        </message>
        <message>
            <source>Saved {name}, {seconds:.1f} s</source>
            <translation>已保存 {name}，{seconds:.1f} 秒</translation>
        </message>
        <message>
            <source>Saved {name} and {more} more, {seconds:.1f} s</source>
            <translation>已保存 {name} 等，另有 {more} 个文件，{seconds:.1f} 秒</translation>
        </message>
        <message>
            <source>Saved {name}</source>
            <translation>已保存 {name}</translation>
        </message>
        <message>
            <source>Not saved: {reason}</source>
            <translation>未保存：{reason}</translation>
        </message>
        <message>
            <source>Not saved: too many files are still being saved.</source>
            <translation>未保存：仍有太多文件正在保存。</translation>
        </message>
        <message>
            <source>Recording resumed.</source>
            <translation>录制已继续。</translation>
        </message>
        <message>
            <source>Recording paused.</source>
            <translation>录制已暂停。</translation>
        </message>
        <message>
            <source>Not recording.</source>
            <translation>当前未在录制。</translation>
        </message>
        <message>
            <source>New file started.</source>
            <translation>已开始新文件。</translation>
        </message>
        <message>
            <source>The scan ended early. Scan again to continue.</source>
            <translation>扫描提前结束，再次扫描即可继续。</translation>
        </message>
        <message>
            <source>The video stopped. Try again.</source>
            <translation>视频已停止，请重试。</translation>
        </message>
        <message>
            <source>{error} All classes are shown.</source>
            <translation>{error} 已显示所有类别。</translation>
        </message>
        <message>
            <source>Message</source>
            <translation>消息</translation>
        </message>
        <message>
            <source>Copy report</source>
            <translation>复制报告</translation>
        </message>
        <message>
            <source>Copy a system report for a bug report</source>
            <translation>复制系统报告，用于提交问题</translation>
        </message>
        <message>
            <source>Close</source>
            <translation>关闭</translation>
        </message>
        <message>
            <source>The report holds versions, devices, cameras and folders of this machine.</source>
            <translation>报告包含本机的版本、设备、摄像头和文件夹信息。</translation>
        </message>
        <message>
            <source>Checking the installation …</source>
            <translation>正在检查安装 …</translation>
        </message>
        <message>
            <source>There is no report. {reason}</source>
            <translation>未能生成报告。{reason}</translation>
        </message>
        <message>
            <source>The report is on the clipboard.</source>
            <translation>报告已复制到剪贴板。</translation>
        </message>
        <message>
            <source>No model</source>
            <translation>无模型</translation>
        </message>
        <message>
            <source>See live what a detection model sees in a camera or a video, and where it fails.</source>
            <translation>实时查看检测模型在摄像头或视频中看到了什么，错在哪里。</translation>
        </message>
        <message>
            <source>Free software under the GNU GPL, version 3 or later, without warranty.</source>
            <translation>自由软件，遵循 GNU GPLv3 或更高版本，不提供担保。</translation>
        </message>
        <message>
            <source>Export {name}</source>
            <translation>导出 {name}</translation>
        </message>
        <message>
            <source>Folder</source>
            <translation>文件夹</translation>
        </message>
        <message>
            <source>Folder for the files</source>
            <translation>保存文件夹</translation>
        </message>
        <message>
            <source>Export</source>
            <translation>导出</translation>
        </message>
        <message>
            <source>Every frame: {summary}</source>
            <translation>每一帧：{summary}</translation>
        </message>
        <message>
            <source>Click, then press another key</source>
            <translation>单击，然后按其他键</translation>
        </message>
        <message>
            <source>Press a key …</source>
            <translation>请按键 …</translation>
        </message>
        <message>
            <source>Mouse</source>
            <translation>鼠标</translation>
        </message>
        <message>
            <source>Wheel</source>
            <translation>滚轮</translation>
        </message>
        <message>
            <source>Zoom at the pointer</source>
            <translation>以指针为中心缩放</translation>
        </message>
        <message>
            <source>Drag</source>
            <translation>拖动</translation>
        </message>
        <message>
            <source>Move the image</source>
            <translation>移动画面</translation>
        </message>
        <message>
            <source>Double-click</source>
            <translation>双击</translation>
        </message>
        <message>
            <source>Keys</source>
            <translation>快捷键</translation>
        </message>
        <message>
            <source>On a slider: arrows and wheel move it by 0.01, with Shift by 0.001; a double click restores the model's default. Enter presses the focused button.</source>
            <translation>滑块：方向键和滚轮每次移动 0.01，按住 Shift 时为 0.001；双击恢复模型默认值。Enter 键按下当前焦点按钮。</translation>
        </message>
        <message>
            <source>Reset all keys</source>
            <translation>重置所有快捷键</translation>
        </message>
        <message>
            <source>Key for: {action}</source>
            <translation>快捷键：{action}</translation>
        </message>
        <message>
            <source>{key} is taken by: {action}. Press it again to move it, or another key.</source>
            <translation>{key} 已用于：{action}。再按一次可改用到此处，或按其他键。</translation>
        </message>
        <message>
            <source> or </source>
            <translation> 或 </translation>
        </message>
        <message>
            <source>Click a key to change it.</source>
            <translation>单击快捷键可更改。</translation>
        </message>
        <message>
            <source>Running the model …</source>
            <translation>正在运行模型…</translation>
        </message>
        <message>
            <source>Use this</source>
            <translation>使用此布局</translation>
        </message>
        <message>
            <source>1 detection</source>
            <translation>1 个检测结果</translation>
        </message>
        <message>
            <source>{count} detections</source>
            <translation>{count} 个检测结果</translation>
        </message>
        <message>
            <source>{detections}, which can't be right</source>
            <translation>{detections}，不可能正确</translation>
        </message>
        <message>
            <source>Choose the layout</source>
            <translation>选择布局</translation>
        </message>
        <message>
            <source>{name} doesn't say what its outputs mean. Click the image with the right boxes.</source>
            <translation>{name} 未说明其输出的含义。请点击检测框正确的图像。</translation>
        </message>
        <message>
            <source>The choice is saved, so that the file opens without a question.</source>
            <translation>选择会被保存，以后打开此文件时不再询问。</translation>
        </message>
        <message>
            <source>Videos and images</source>
            <translation>视频和图片</translation>
        </message>
        <message>
            <source>Open files</source>
            <translation>打开文件</translation>
        </message>
        <message>
            <source>Models</source>
            <translation>模型</translation>
        </message>
        <message>
            <source>Annotations</source>
            <translation>标注文件</translation>
        </message>
        <message>
            <source>Folder for recordings</source>
            <translation>录像文件夹</translation>
        </message>
        <message>
            <source>All files</source>
            <translation>所有文件</translation>
        </message>
        <message>
            <source>Run code?</source>
            <translation>运行代码？</translation>
        </message>
        <message>
            <source>Run it</source>
            <translation>运行</translation>
        </message>
        <message>
            <source>Cancel the export?</source>
            <translation>取消导出？</translation>
        </message>
        <message>
            <source>{name} is still being exported. Closing cancels that.</source>
            <translation>{name} 仍在导出，关闭窗口将取消导出。</translation>
        </message>
        <message>
            <source>Cancel it and close</source>
            <translation>取消导出并关闭</translation>
        </message>
        <message>
            <source>Go on exporting</source>
            <translation>继续导出</translation>
        </message>
        <message>
            <source>Open the TensorRT engine {name}?</source>
            <translation>打开 TensorRT 引擎 {name}？</translation>
        </message>
        <message>
            <source>An engine holds code, which runs with your rights. Open it if you trust:</source>
            <translation>引擎包含代码，会以您的权限运行。仅在信任以下文件时打开：</translation>
        </message>
        <message>
            <source>Run code of the module {module}?</source>
            <translation>运行模块 {module} 的代码吗？</translation>
        </message>
        <message>
            <source>The model is its function {function}. To open it, kpviewer runs this file:</source>
            <translation>该模型是其中的函数 {function}。要打开它，kpviewer 会运行这个文件：</translation>
        </message>
        <message>
            <source>(not found)</source>
            <translation>（未找到）</translation>
        </message>
        <message>
            <source>if the camera asks for it</source>
            <translation>摄像头需要时填写</translation>
        </message>
        <message>
            <source>Address</source>
            <translation>地址</translation>
        </message>
        <message>
            <source>User</source>
            <translation>用户名</translation>
        </message>
        <message>
            <source>Password</source>
            <translation>密码</translation>
        </message>
        <message>
            <source>Open</source>
            <translation>打开</translation>
        </message>
        <message>
            <source>A network camera or a video: {schemes} (files, HLS and MJPEG).</source>
            <translation>网络摄像头或视频：{schemes}（文件、HLS 和 MJPEG）。</translation>
        </message>
        <message>
            <source>An address must begin with one of {schemes}.</source>
            <translation>地址必须以下列之一开头：{schemes}。</translation>
        </message>
        <message>
            <source>Filter classes</source>
            <translation>筛选类别</translation>
        </message>
        <message>
            <source>Confidence by class</source>
            <translation>按类别设置置信度</translation>
        </message>
        <message>
            <source>Set the confidence of single classes</source>
            <translation>单独设置个别类别的置信度</translation>
        </message>
        <message>
            <source>Reset</source>
            <translation>重置</translation>
        </message>
        <message>
            <source>Reset the confidence of single classes</source>
            <translation>重置各类别的置信度</translation>
        </message>
        <message>
            <source>Restore the model's recommendation for each class</source>
            <translation>恢复模型为各类别推荐的置信度</translation>
        </message>
        <message>
            <source>default</source>
            <translation>默认</translation>
        </message>
        <message>
            <source>Confidence of {name}</source>
            <translation>{name} 的置信度</translation>
        </message>
        <message>
            <source>Confidence of {name}; 0 is the default: the slider's (↑ ↓)</source>
            <translation>{name} 的置信度；0 表示默认，即滑块的值 (↑ ↓)</translation>
        </message>
        <message>
            <source>Classes</source>
            <translation>类别</translation>
        </message>
        <message>
            <source>Untick a class to hide its boxes. Double click or Ctrl+Enter: only this class</source>
            <translation>取消勾选可隐藏该类别的框。双击或按 Ctrl+Enter：仅显示该类别</translation>
        </message>
        <message>
            <source>All</source>
            <translation>全部</translation>
        </message>
        <message>
            <source>Only</source>
            <translation>仅显示</translation>
        </message>
        <message>
            <source>Return to the classes shown before (double click)</source>
            <translation>恢复之前显示的类别（双击）</translation>
        </message>
        <message>
            <source>Show only {name} (double click)</source>
            <translation>仅显示 {name}（双击）</translation>
        </message>
        <message>
            <source>Second model</source>
            <translation>第二个模型</translation>
        </message>
        <message>
            <source>Overlay</source>
            <translation>叠加</translation>
        </message>
        <message>
            <source>Both in one image: B by corners and diamonds</source>
            <translation>同一画面显示两者：B 用角标和菱形表示</translation>
        </message>
        <message>
            <source>Side by side</source>
            <translation>并排</translation>
        </message>
        <message>
            <source>One image per model, of the same frame</source>
            <translation>同一帧，每个模型各一个画面</translation>
        </message>
        <message>
            <source>Stop</source>
            <translation>停止</translation>
        </message>
        <message>
            <source>Distance of the landmarks that both models found, else of box centres</source>
            <translation>两个模型都检出的关键点的距离；没有关键点时取框中心</translation>
        </message>
        <message>
            <source>1 − IoU of the boxes that both models found</source>
            <translation>两个模型都检出的边界框的 1 − IoU</translation>
        </message>
        <message>
            <source>Distance {now}, mean {mean} px</source>
            <translation>距离 {now}，平均 {mean} px</translation>
        </message>
        <message>
            <source>1 − IoU {now}, mean {mean}</source>
            <translation>1 − IoU {now}，平均 {mean}</translation>
        </message>
        <message>
            <source>Both {both} · only A {first} · only B {second}</source>
            <translation>共有 {both} · 仅 A {first} · 仅 B {second}</translation>
        </message>
        <message>
            <source>A {first:.1f} ms, B {second:.1f} ms</source>
            <translation>A {first:.1f} ms，B {second:.1f} ms</translation>
        </message>
        <message>
            <source>Boxes</source>
            <translation>边界框</translation>
        </message>
        <message>
            <source>Draw the boxes</source>
            <translation>绘制边界框</translation>
        </message>
        <message>
            <source>Landmarks</source>
            <translation>关键点</translation>
        </message>
        <message>
            <source>Draw the landmarks</source>
            <translation>绘制关键点</translation>
        </message>
        <message>
            <source>Names</source>
            <translation>类别名称</translation>
        </message>
        <message>
            <source>Write the class names</source>
            <translation>标出类别名称</translation>
        </message>
        <message>
            <source>Confidence</source>
            <translation>置信度</translation>
        </message>
        <message>
            <source>Write the confidence</source>
            <translation>标出置信度</translation>
        </message>
        <message>
            <source>Number</source>
            <translation>编号</translation>
        </message>
        <message>
            <source>Write each detection's number in the list, from 0</source>
            <translation>标出每个检测结果在列表中的编号，从 0 开始</translation>
        </message>
        <message>
            <source>Ground truth</source>
            <translation>真值</translation>
        </message>
        <message>
            <source>Draw the ground truth, dashed</source>
            <translation>用虚线绘制真值</translation>
        </message>
        <message>
            <source>Hits, misses, false alarms</source>
            <translation>匹配、漏检、误报</translation>
        </message>
        <message>
            <source>With annotations: mark matched and missed objects, and false alarms</source>
            <translation>有标注时：标出匹配和漏检的目标以及误报</translation>
        </message>
        <message>
            <source>Track</source>
            <translation>跟踪 ID</translation>
        </message>
        <message>
            <source>An ID that stays with each object, and its trail</source>
            <translation>每个目标固定的 ID 及其轨迹</translation>
        </message>
        <message>
            <source>Give each object an ID that stays with it, and draw its trail</source>
            <translation>为每个目标分配固定 ID，并绘制其轨迹</translation>
        </message>
        <message>
            <source>Anonymise</source>
            <translation>匿名化</translation>
        </message>
        <message>
            <source>Hides what is found: here, in snapshots and in recordings</source>
            <translation>在画面、截图和录像中遮挡检测到的目标</translation>
        </message>
        <message>
            <source>Hide all objects of the shown classes: here, in snapshots and in recordings. Objects that the model misses stay visible.</source>
            <translation>遮挡所显示类别的所有目标：画面、截图和录像中均生效。模型漏检的目标仍然可见。</translation>
        </message>
        <message>
            <source>Smooth landmarks</source>
            <translation>平滑关键点</translation>
        </message>
        <message>
            <source>On the screen; errors and files keep the raw ones</source>
            <translation>仅用于显示；误差和文件仍用原始值</translation>
        </message>
        <message>
            <source>Draw landmarks smoothed over time; errors and files keep the raw ones</source>
            <translation>绘制随时间平滑的关键点；误差和文件仍用原始值</translation>
        </message>
        <message>
            <source>Lines</source>
            <translation>线条</translation>
        </message>
        <message>
            <source>Thin</source>
            <translation>细</translation>
        </message>
        <message>
            <source>Medium</source>
            <translation>中</translation>
        </message>
        <message>
            <source>Thick</source>
            <translation>粗</translation>
        </message>
        <message>
            <source>Small</source>
            <translation>小</translation>
        </message>
        <message>
            <source>Large</source>
            <translation>大</translation>
        </message>
        <message>
            <source>Text</source>
            <translation>文字</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>撤销</translation>
        </message>
        <message>
            <source>Messages, the newest last:</source>
            <translation>最近的消息（最新的在最后）：</translation>
        </message>
        <message>
            <source>FPS</source>
            <translation>帧率</translation>
        </message>
        <message>
            <source>capture</source>
            <translation>采集</translation>
        </message>
        <message>
            <source>model</source>
            <translation>模型</translation>
        </message>
        <message>
            <source>display</source>
            <translation>显示</translation>
        </message>
        <message>
            <source>Latency, ms</source>
            <translation>延迟，ms</translation>
        </message>
        <message>
            <source>read</source>
            <translation>读取</translation>
        </message>
        <message>
            <source>wait</source>
            <translation>等待</translation>
        </message>
        <message>
            <source>upload</source>
            <translation>上传</translation>
        </message>
        <message>
            <source>select</source>
            <translation>筛选</translation>
        </message>
        <message>
            <source>Error, px</source>
            <translation>误差，px</translation>
        </message>
        <message>
            <source>mean distance</source>
            <translation>平均距离</translation>
        </message>
        <message>
            <source>Difference A–B, px</source>
            <translation>A–B 差异，px</translation>
        </message>
        <message>
            <source>Plot</source>
            <translation>曲线图</translation>
        </message>
        <message>
            <source>Frames per second</source>
            <translation>每秒帧数</translation>
        </message>
        <message>
            <source>Latency</source>
            <translation>延迟</translation>
        </message>
        <message>
            <source>Time of a frame by stage</source>
            <translation>每帧各阶段耗时</translation>
        </message>
        <message>
            <source>Error</source>
            <translation>误差</translation>
        </message>
        <message>
            <source>Distance from the ground truth</source>
            <translation>与真值的距离</translation>
        </message>
        <message>
            <source>Annotated</source>
            <translation>带标注</translation>
        </message>
        <message>
            <source>Video with the overlay as it is shown</source>
            <translation>带当前叠加显示的视频</translation>
        </message>
        <message>
            <source>Raw</source>
            <translation>原始</translation>
        </message>
        <message>
            <source>Video without the overlay; anonymised areas stay hidden</source>
            <translation>不带叠加的视频；匿名化区域仍被遮挡</translation>
        </message>
        <message>
            <source>Both</source>
            <translation>两者</translation>
        </message>
        <message>
            <source>Two videos of the same frames</source>
            <translation>同样的帧，两个视频</translation>
        </message>
        <message>
            <source>One JSON line per frame</source>
            <translation>每帧一行 JSON</translation>
        </message>
        <message>
            <source>One row per detection</source>
            <translation>每个检测结果一行</translation>
        </message>
        <message>
            <source>COCO result list</source>
            <translation>COCO 结果列表</translation>
        </message>
        <message>
            <source>Folder of frames with Pascal VOC XML, for LabelImg</source>
            <translation>图片及 Pascal VOC XML 文件夹，供 LabelImg 使用</translation>
        </message>
        <message>
            <source>Folder of frames with YOLO text, for X-AnyLabeling</source>
            <translation>图片及 YOLO 文本文件夹，供 X-AnyLabeling 使用</translation>
        </message>
        <message>
            <source>Small files</source>
            <translation>小文件</translation>
        </message>
        <message>
            <source>Good</source>
            <translation>良好</translation>
        </message>
        <message>
            <source>Good images</source>
            <translation>画质良好</translation>
        </message>
        <message>
            <source>Best</source>
            <translation>最佳</translation>
        </message>
        <message>
            <source>Close to the source, in large files</source>
            <translation>接近源画质，文件较大</translation>
        </message>
        <message>
            <source>Each stream</source>
            <translation>每路视频</translation>
        </message>
        <message>
            <source>Each stream in files of its own, with its results</source>
            <translation>每路视频单独保存为文件，并附检测结果</translation>
        </message>
        <message>
            <source>The grid</source>
            <translation>网格</translation>
        </message>
        <message>
            <source>All streams as they are shown, in one video</source>
            <translation>所有视频流按显示的样子录成一个视频</translation>
        </message>
        <message>
            <source>Video</source>
            <translation>画面</translation>
        </message>
        <message>
            <source>Sound</source>
            <translation>声音</translation>
        </message>
        <message>
            <source>Videos of a file get its sound</source>
            <translation>文件的视频会带有其声音</translation>
        </message>
        <message>
            <source>Encoder</source>
            <translation>编码器</translation>
        </message>
        <message>
            <source>Encoders that work on this machine</source>
            <translation>本机可用的编码器</translation>
        </message>
        <message>
            <source>Quality</source>
            <translation>质量</translation>
        </message>
        <message>
            <source>Start {seconds} s before you press record</source>
            <translation>从按下录制前 {seconds} 秒录起</translation>
        </message>
        <message>
            <source>Off</source>
            <translation>关</translation>
        </message>
        <message>
            <source>Start when you press record</source>
            <translation>从按下录制时录起</translation>
        </message>
        <message>
            <source>Pre-roll</source>
            <translation>预录</translation>
        </message>
        <message>
            <source>VOC and YOLO get only this share of the frames</source>
            <translation>VOC 和 YOLO 仅取此比例的帧</translation>
        </message>
        <message>
            <source>1 of {count}</source>
            <translation>每 {count} 帧取 1</translation>
        </message>
        <message>
            <source>VOC and YOLO get every frame</source>
            <translation>VOC 和 YOLO 取每一帧</translation>
        </message>
        <message>
            <source>Frames</source>
            <translation>帧</translation>
        </message>
        <message>
            <source>Folder for recordings and snapshots</source>
            <translation>录像和截图的文件夹</translation>
        </message>
        <message>
            <source>Space</source>
            <translation>空间</translation>
        </message>
        <message>
            <source>Results</source>
            <translation>结果</translation>
        </message>
        <message>
            <source>Find</source>
            <translation>检测</translation>
        </message>
        <message>
            <source>Thresholds and classes</source>
            <translation>阈值和类别</translation>
        </message>
        <message>
            <source>Act</source>
            <translation>处理</translation>
        </message>
        <message>
            <source>Track, anonymise, smooth</source>
            <translation>跟踪、匿名化、平滑</translation>
        </message>
        <message>
            <source>Look</source>
            <translation>外观</translation>
        </message>
        <message>
            <source>What is drawn over the image</source>
            <translation>画面上叠加的内容</translation>
        </message>
        <message>
            <source>Score</source>
            <translation>评分</translation>
        </message>
        <message>
            <source>Against the ground truth, or another model</source>
            <translation>与真值或另一个模型比较</translation>
        </message>
        <message>
            <source>{count} found</source>
            <translation>检出 {count} 个</translation>
        </message>
        <message>
            <source>Loading the model's classes …</source>
            <translation>正在加载模型的类别 …</translation>
        </message>
        <message>
            <source>No model. Choose one above.</source>
            <translation>没有模型。请在上方选择一个。</translation>
        </message>
        <message>
            <source>Difference of two models</source>
            <translation>两个模型的差异</translation>
        </message>
        <message>
            <source>model busy</source>
            <translation>模型繁忙</translation>
        </message>
        <message>
            <source>arrived while the model was busy</source>
            <translation>到达时模型正忙</translation>
        </message>
        <message>
            <source>no buffer</source>
            <translation>无缓冲区</translation>
        </message>
        <message>
            <source>all buffers were in use</source>
            <translation>所有缓冲区都在使用</translation>
        </message>
        <message>
            <source>window busy</source>
            <translation>窗口繁忙</translation>
        </message>
        <message>
            <source>a newer frame was ready</source>
            <translation>已有更新的帧可显示</translation>
        </message>
        <message>
            <source>capture to result</source>
            <translation>采集到结果</translation>
        </message>
        <message>
            <source>capture to screen</source>
            <translation>采集到显示</translation>
        </message>
        <message>
            <source>Frames per second, last 10 s</source>
            <translation>最近 10 秒的帧率</translation>
        </message>
        <message>
            <source>Error, last 10 s</source>
            <translation>最近 10 秒的误差</translation>
        </message>
        <message>
            <source>Device, backend, precision and time of the model</source>
            <translation>设备、推理后端、精度和模型耗时</translation>
        </message>
        <message>
            <source>Size of the source</source>
            <translation>源的尺寸</translation>
        </message>
        <message>
            <source>Capture to screen</source>
            <translation>采集到显示</translation>
        </message>
        <message>
            <source>Frames not shown</source>
            <translation>未显示的帧</translation>
        </message>
        <message>
            <source>{number} of {count}</source>
            <translation>第 {number} 张，共 {count} 张</translation>
        </message>
        <message>
            <source>delay {p50:.0f} ms (95 %: {p95:.0f})</source>
            <translation>延迟 {p50:.0f} ms（95 %：{p95:.0f}）</translation>
        </message>
        <message>
            <source>A–B {px}</source>
            <translation>A–B {px}</translation>
        </message>
        <message>
            <source>error {px}</source>
            <translation>误差 {px}</translation>
        </message>
        <message>
            <source>{fps:.1f} fps</source>
            <translation>{fps:.1f} fps</translation>
        </message>
        <message>
            <source>{fps:.0f} fps</source>
            <translation>{fps:.0f} fps</translation>
        </message>
        <message>
            <source>capture {capture:.1f}   model {model}   display {display:.1f} fps</source>
            <translation>采集 {capture:.1f}   模型 {model}   显示 {display:.1f} fps</translation>
        </message>
        <message>
            <source>Latency of the last 10 s, ms: median, 95 % under, 99 % under</source>
            <translation>最近 10 秒的延迟，ms：中位数、95 % 以下、99 % 以下</translation>
        </message>
        <message>
            <source>none yet</source>
            <translation>暂无</translation>
        </message>
        <message>
            <source>Frames not shown since the start</source>
            <translation>开始以来未显示的帧</translation>
        </message>
        <message>
            <source>none</source>
            <translation>无</translation>
        </message>
        <message>
            <source>#</source>
            <translation>#</translation>
        </message>
        <message>
            <source>Number, as in labels and result files</source>
            <translation>编号，与标签和结果文件一致</translation>
        </message>
        <message>
            <source>Class</source>
            <translation>类别</translation>
        </message>
        <message>
            <source>Conf.</source>
            <translation>置信度</translation>
        </message>
        <message>
            <source>Left</source>
            <translation>左</translation>
        </message>
        <message>
            <source>Left edge of the box, px of the source</source>
            <translation>边界框左边缘，源图像像素</translation>
        </message>
        <message>
            <source>Top</source>
            <translation>上</translation>
        </message>
        <message>
            <source>Top edge of the box, px of the source</source>
            <translation>边界框上边缘，源图像像素</translation>
        </message>
        <message>
            <source>Width</source>
            <translation>宽</translation>
        </message>
        <message>
            <source>Width of the box, px of the source</source>
            <translation>边界框宽度，源图像像素</translation>
        </message>
        <message>
            <source>Height</source>
            <translation>高</translation>
        </message>
        <message>
            <source>Height of the box, px of the source</source>
            <translation>边界框高度，源图像像素</translation>
        </message>
        <message>
            <source>Number that stays with the object from frame to frame</source>
            <translation>目标在各帧间保持不变的编号</translation>
        </message>
        <message>
            <source>Landmark: x, y in px of the source</source>
            <translation>关键点：x、y，源图像像素</translation>
        </message>
        <message>
            <source>Confidence of the landmark</source>
            <translation>该关键点的置信度</translation>
        </message>
        <message>
            <source>Click to sort</source>
            <translation>单击排序</translation>
        </message>
        <message>
            <source>point {number}</source>
            <translation>点 {number}</translation>
        </message>
        <message>
            <source>{name} conf.</source>
            <translation>{name} 置信度</translation>
        </message>
        <message>
            <source>Detections</source>
            <translation>检测结果</translation>
        </message>
        <message>
            <source>Detections: {count}</source>
            <translation>检测结果：{count}</translation>
        </message>
        <message>
            <source>Copy the chosen row, or all, for a spreadsheet (Ctrl+C while the table has focus)</source>
            <translation>复制所选行或全部，可粘贴到电子表格 (表格有焦点时按 Ctrl+C)</translation>
        </message>
        <message>
            <source>Copy</source>
            <translation>复制</translation>
        </message>
        <message>
            <source>Save this frame's detections as CSV</source>
            <translation>将当前帧的检测结果保存为 CSV</translation>
        </message>
        <message>
            <source>How sure the model must be to show an object.</source>
            <translation>模型的置信度达到多少才显示目标。</translation>
        </message>
        <message>
            <source>Keypoint confidence</source>
            <translation>关键点置信度</translation>
        </message>
        <message>
            <source>How sure the model must be of a keypoint. Less sure ones fade, then vanish.</source>
            <translation>关键点至少应有的置信度。较低的会变淡，再低则不显示。</translation>
        </message>
        <message>
            <source>IoU (NMS)</source>
            <translation>IoU (NMS)</translation>
        </message>
        <message>
            <source>How much two boxes may overlap before the weaker one is removed.</source>
            <translation>两个边界框重叠超过多少时去掉分数较低的一个（非极大值抑制）。</translation>
        </message>
        <message>
            <source>Width σ (NMS)</source>
            <translation>宽度 σ (NMS)</translation>
        </message>
        <message>
            <source>How strongly overlap lowers confidence: a larger σ lowers it less.</source>
            <translation>重叠对置信度的降低程度：σ 越大，降低越少。</translation>
        </message>
        <message>
            <source>Overlapping boxes (NMS)</source>
            <translation>重叠框处理 (NMS)</translation>
        </message>
        <message>
            <source>Hard</source>
            <translation>硬抑制</translation>
        </message>
        <message>
            <source>Remove boxes that overlap a better one</source>
            <translation>硬抑制（标准 NMS）：去掉与更高分框重叠的框</translation>
        </message>
        <message>
            <source>Soft linear</source>
            <translation>线性软抑制</translation>
        </message>
        <message>
            <source>Lower their confidence by their overlap</source>
            <translation>线性 Soft-NMS：按重叠程度降低其置信度</translation>
        </message>
        <message>
            <source>Soft Gaussian</source>
            <translation>高斯软抑制</translation>
        </message>
        <message>
            <source>Lower their confidence smoothly by their overlap</source>
            <translation>高斯 Soft-NMS：按重叠程度平滑降低其置信度</translation>
        </message>
        <message>
            <source>Keep every box: for models that predict each object once</source>
            <translation>保留所有框：用于每个目标只预测一次的模型</translation>
        </message>
        <message>
            <source>Source: camera, file, stream</source>
            <translation>源：摄像头、文件、网络流</translation>
        </message>
        <message>
            <source>Model</source>
            <translation>模型</translation>
        </message>
        <message>
            <source>Detection model</source>
            <translation>检测模型</translation>
        </message>
        <message>
            <source>Recording options</source>
            <translation>录制选项</translation>
        </message>
        <message>
            <source>What to record, and where</source>
            <translation>录制内容和保存位置</translation>
        </message>
        <message>
            <source>Settings</source>
            <translation>设置</translation>
        </message>
        <message>
            <source>Theme, panels, keys, profiles</source>
            <translation>主题、面板、快捷键、配置方案</translation>
        </message>
        <message>
            <source>There is no image to save: {what}</source>
            <translation>没有可保存的画面：{what}</translation>
        </message>
        <message>
            <source>Stop recording</source>
            <translation>停止录制</translation>
        </message>
        <message>
            <source>Confusion table</source>
            <translation>混淆矩阵</translation>
        </message>
        <message>
            <source>nothing</source>
            <translation>无</translation>
        </message>
        <message>
            <source>{count} × {found}: false alarm</source>
            <translation>{count} × {found}：误报</translation>
        </message>
        <message>
            <source>{count} × {true} missed</source>
            <translation>{count} × {true} 漏检</translation>
        </message>
        <message>
            <source>{count} × {true} detected correctly</source>
            <translation>{count} × {true} 检测正确</translation>
        </message>
        <message>
            <source>{count} × {true} detected as {found}</source>
            <translation>{count} × {true} 误检为 {found}</translation>
        </message>
        <message>
            <source>Class of the curves</source>
            <translation>曲线的类别</translation>
        </message>
        <message>
            <source>All classes together, or one alone</source>
            <translation>所有类别合计，或单个类别</translation>
        </message>
        <message>
            <source>At the present confidence</source>
            <translation>当前置信度下</translation>
        </message>
        <message>
            <source>Set the best confidence</source>
            <translation>设置最佳置信度</translation>
        </message>
        <message>
            <source>Precision against recall</source>
            <translation>精确率-召回率曲线</translation>
        </message>
        <message>
            <source>To the right: recall</source>
            <translation>横轴：召回率</translation>
        </message>
        <message>
            <source>F1 against confidence</source>
            <translation>F1-置信度曲线</translation>
        </message>
        <message>
            <source>To the right: confidence</source>
            <translation>横轴：置信度</translation>
        </message>
        <message>
            <source>All classes together</source>
            <translation>所有类别合计</translation>
        </message>
        <message>
            <source>No object in the ground truth yet</source>
            <translation>暂无真值目标</translation>
        </message>
        <message>
            <source>No true positives yet</source>
            <translation>暂无真正例</translation>
        </message>
        <message>
            <source>Set to {score:.3f} (best F1)</source>
            <translation>设为 {score:.3f}（最佳 F1）</translation>
        </message>
        <message>
            <source>Set confidence {score:.3f}, where F1 is highest: {f1}</source>
            <translation>将置信度设为 {score:.3f}，此时 F1 最高：{f1}</translation>
        </message>
        <message>
            <source>At {score:.3f}:  precision {precision}  recall {recall}  F1 {f1}</source>
            <translation>{score:.3f}：精确率 {precision}  召回率 {recall}  F1 {f1}</translation>
        </message>
        <message>
            <source>Average precision at IoU 0.5</source>
            <translation>IoU 0.5 时的平均精度</translation>
        </message>
        <message>
            <source>Objects in the ground truth</source>
            <translation>真值目标数</translation>
        </message>
        <message>
            <source>Missed: objects that were not detected</source>
            <translation>漏检：未检出的目标</translation>
        </message>
        <message>
            <source>False alarm: detections without an object</source>
            <translation>误报：没有对应目标的检测</translation>
        </message>
        <message>
            <source>Scores by class</source>
            <translation>各类别的评分</translation>
        </message>
        <message>
            <source>Open large…</source>
            <translation>放大查看…</translation>
        </message>
        <message>
            <source>Histogram of errors</source>
            <translation>误差直方图</translation>
        </message>
        <message>
            <source>By class</source>
            <translation>按类别</translation>
        </message>
        <message>
            <source>Objects, mistakes and average precision by class</source>
            <translation>各类别的目标数、错误数和平均精度</translation>
        </message>
        <message>
            <source>Confusion</source>
            <translation>混淆</translation>
        </message>
        <message>
            <source>What objects of each class are detected as</source>
            <translation>各类别的目标被检测成什么</translation>
        </message>
        <message>
            <source>Errors</source>
            <translation>误差</translation>
        </message>
        <message>
            <source>Number of objects by error</source>
            <translation>各误差区间的目标数</translation>
        </message>
        <message>
            <source>Confusion at confidence {score:g} and IoU 0.5</source>
            <translation>置信度 {score:g}、IoU 0.5 时的混淆矩阵</translation>
        </message>
        <message>
            <source>Rows: classes of the ground truth. Columns: classes that were detected.</source>
            <translation>行：真值类别；列：检测出的类别。</translation>
        </message>
        <message>
            <source>No class is confused with another.</source>
            <translation>没有相互混淆的类别。</translation>
        </message>
        <message>
            <source>{name}: {matched} of {n} matched, {false} false alarms</source>
            <translation>{name}：{n} 个目标中匹配 {matched} 个，误报 {false} 个</translation>
        </message>
        <message>
            <source>best confidence {score:.3f} (F1 {f1:.2f})</source>
            <translation>最佳置信度 {score:.3f}（F1 {f1:.2f}）</translation>
        </message>
        <message>
            <source>Distance of {n:,} matched objects, px: median {median:.3g}</source>
            <translation>{n:,} 个匹配目标的距离，px：中位数 {median:.3g}</translation>
        </message>
        <message>
            <source>NME of {n:,} matched objects: median {median:.3g}</source>
            <translation>{n:,} 个匹配目标的 NME：中位数 {median:.3g}</translation>
        </message>
        <message>
            <source>Frame</source>
            <translation>帧</translation>
        </message>
        <message>
            <source>Number of the frame and its time, or its file</source>
            <translation>帧号和时间，或文件名</translation>
        </message>
        <message>
            <source>Value that the frames are ranked by</source>
            <translation>帧的排序依据</translation>
        </message>
        <message>
            <source>No detection has matched an object yet.</source>
            <translation>暂无与目标匹配的检测结果。</translation>
        </message>
        <message>
            <source>No matched landmarks yet. Model and ground truth need the same ones.</source>
            <translation>暂无匹配的关键点。模型与真值的关键点须一致。</translation>
        </message>
        <message>
            <source>No missed objects and no false alarms yet.</source>
            <translation>暂无漏检或误报。</translation>
        </message>
        <message>
            <source>List</source>
            <translation>列表</translation>
        </message>
        <message>
            <source>Worst</source>
            <translation>最差帧</translation>
        </message>
        <message>
            <source>Frames that differ most from the ground truth</source>
            <translation>与真值差异最大的帧</translation>
        </message>
        <message>
            <source>Suspects</source>
            <translation>可疑帧</translation>
        </message>
        <message>
            <source>Frames that look wrong, without ground truth</source>
            <translation>无需真值，看起来有问题的帧</translation>
        </message>
        <message>
            <source>Worst by</source>
            <translation>最差依据</translation>
        </message>
        <message>
            <source>Distance</source>
            <translation>距离</translation>
        </message>
        <message>
            <source>Mean distance of the matched landmarks, else of the box centres</source>
            <translation>匹配关键点的平均距离；没有关键点时取框中心</translation>
        </message>
        <message>
            <source>Distance divided by that of the first two of five landmarks, the eyes of a face, or by the diagonal of the box</source>
            <translation>距离除以五个关键点中前两个的间距（人脸即两眼）或框对角线</translation>
        </message>
        <message>
            <source>Overlap</source>
            <translation>重叠</translation>
        </message>
        <message>
            <source>1 − IoU of the matched boxes</source>
            <translation>匹配边界框的 1 − IoU</translation>
        </message>
        <message>
            <source>Mistakes</source>
            <translation>错误数</translation>
        </message>
        <message>
            <source>Number of missed objects and false alarms</source>
            <translation>漏检的目标数与误报数之和</translation>
        </message>
        <message>
            <source>Reason</source>
            <translation>原因</translation>
        </message>
        <message>
            <source>Frames to look at</source>
            <translation>值得查看的帧</translation>
        </message>
        <message>
            <source>Click a frame to see it</source>
            <translation>单击可查看该帧</translation>
        </message>
        <message>
            <source>This source can't go back</source>
            <translation>该源不能后退</translation>
        </message>
        <message>
            <source>No frame is scored yet.</source>
            <translation>尚未对任何帧评分。</translation>
        </message>
        <message>
            <source>No suspicious frames so far.</source>
            <translation>暂无可疑帧。</translation>
        </message>
        <message>
            <source>✓ {matched} matched  ○ {missed} missed  × {false} false alarms</source>
            <translation>✓ 匹配 {matched}   ○ 漏检 {missed}   × 误报 {false}</translation>
        </message>
        <message>
            <source>Report…</source>
            <translation>报告…</translation>
        </message>
        <message>
            <source>Write these scores as a web page, with the worst frames</source>
            <translation>将评分保存为网页，含最差帧</translation>
        </message>
        <message>
            <source>No annotations of this source: nothing to compare with.</source>
            <translation>此源没有标注，无从比较。</translation>
        </message>
        <message>
            <source>Shown once a model is loaded.</source>
            <translation>加载模型后显示。</translation>
        </message>
        <message>
            <source>Which model is better</source>
            <translation>哪个模型更好</translation>
        </message>
        <message>
            <source>Recall by size</source>
            <translation>按大小的召回率</translation>
        </message>
        <message>
            <source>Share of the objects that were found: below 32 × 32 px, up to 96 × 96, and above</source>
            <translation>已检出目标的比例：小于 32 × 32 像素、至 96 × 96 像素、更大</translation>
        </message>
        <message>
            <source>Error of this frame</source>
            <translation>当前帧误差</translation>
        </message>
        <message>
            <source>Scored frames</source>
            <translation>已评分的帧</translation>
        </message>
        <message>
            <source>Score all</source>
            <translation>全部评分</translation>
        </message>
        <message>
            <source>Scan the rest of the source, then score every frame</source>
            <translation>扫描源的其余部分，然后对每一帧评分</translation>
        </message>
        <message>
            <source>Why there are no scores</source>
            <translation>没有评分的原因</translation>
        </message>
        <message>
            <source>Open annotations…</source>
            <translation>打开标注…</translation>
        </message>
        <message>
            <source>A table, or a file or folder of labels</source>
            <translation>表格，或标注文件、文件夹</translation>
        </message>
        <message>
            <source>A video with ground truth for every frame</source>
            <translation>每一帧都有真值的视频</translation>
        </message>
        <message>
            <source>Scoring …</source>
            <translation>正在评分 …</translation>
        </message>
        <message>
            <source>This frame: {distance}, ✓ {matched} ○ {missed} × {false}</source>
            <translation>当前帧：{distance}，✓ {matched} ○ {missed} × {false}</translation>
        </message>
        <message>
            <source>1 keypoint not predicted</source>
            <translation>1 个关键点未预测</translation>
        </message>
        <message>
            <source>{n} keypoints not predicted</source>
            <translation>{n} 个关键点未预测</translation>
        </message>
        <message>
            <source>small</source>
            <translation>小</translation>
        </message>
        <message>
            <source>medium</source>
            <translation>中</translation>
        </message>
        <message>
            <source>large</source>
            <translation>大</translation>
        </message>
        <message>
            <source>Recall{model}:</source>
            <translation>召回率{model}：</translation>
        </message>
        <message>
            <source>Scored {n:,} of {total:,} frames</source>
            <translation>已评分 {n:,} / {total:,} 帧</translation>
        </message>
        <message>
            <source>Scored the only frame</source>
            <translation>已评分仅有的 1 帧</translation>
        </message>
        <message>
            <source>Scored all {n:,} frames</source>
            <translation>已评分全部 {n:,} 帧</translation>
        </message>
        <message>
            <source>{text}, B {n:,}</source>
            <translation>{text}，B {n:,}</translation>
        </message>
        <message>
            <source>, from confidence {score:g}</source>
            <translation>，自置信度 {score:g} 起评估</translation>
        </message>
        <message>
            <source>Score all to compare: A and B cover different frames.</source>
            <translation>A 和 B 覆盖的帧不同，全部评分后才能比较。</translation>
        </message>
        <message>
            <source>B is better: {name} +{gap:.3f}</source>
            <translation>B 更好：{name} +{gap:.3f}</translation>
        </message>
        <message>
            <source>A is better: {name} +{gap:.3f}</source>
            <translation>A 更好：{name} +{gap:.3f}</translation>
        </message>
        <message>
            <source>A and B are equally good.</source>
            <translation>A 和 B 一样好。</translation>
        </message>
        <message>
            <source>distance of the first two of five landmarks, the eyes of a face</source>
            <translation>五个关键点中前两个的间距（人脸即两眼）</translation>
        </message>
        <message>
            <source>diagonal of the box</source>
            <translation>框对角线</translation>
        </message>
        <message>
            <source>Average precision at IoU 0.5, as kpviewer eval computes it</source>
            <translation>IoU 0.5 时的平均精度，与 kpviewer eval 的算法相同</translation>
        </message>
        <message>
            <source>Mean of the average precision at IoU 0.50, 0.55, … 0.95 (COCO's mAP)</source>
            <translation>IoU 0.50、0.55 … 0.95 时平均精度的均值（COCO 的 mAP）</translation>
        </message>
        <message>
            <source>Harmonic mean of precision and recall at the present confidence</source>
            <translation>当前置信度下精确率与召回率的调和平均</translation>
        </message>
        <message>
            <source>✓ Matched</source>
            <translation>✓ 匹配</translation>
        </message>
        <message>
            <source>Detections of an object in the ground truth</source>
            <translation>与真值目标匹配的检测</translation>
        </message>
        <message>
            <source>○ Missed</source>
            <translation>○ 漏检</translation>
        </message>
        <message>
            <source>Objects that were not detected</source>
            <translation>未检出的目标</translation>
        </message>
        <message>
            <source>× False alarms</source>
            <translation>× 误报</translation>
        </message>
        <message>
            <source>Detections without an object</source>
            <translation>没有对应目标的检测</translation>
        </message>
        <message>
            <source>Mean distance of the matched landmarks, else of the box centres, px</source>
            <translation>匹配关键点的平均距离，px；没有关键点时取框中心</translation>
        </message>
        <message>
            <source>{mean} px</source>
            <translation>{mean} px</translation>
        </message>
        <message>
            <source>worst frame {worst:.1f} px</source>
            <translation>最差帧 {worst:.1f} px</translation>
        </message>
        <message>
            <source>NME: distance divided by the {length}</source>
            <translation>NME：距离除以{length}</translation>
        </message>
        <message>
            <source>All reasons</source>
            <translation>所有原因</translation>
        </message>
        <message>
            <source>Flicker</source>
            <translation>闪烁</translation>
        </message>
        <message>
            <source>Jumps</source>
            <translation>跳变</translation>
        </message>
        <message>
            <source>Number of objects</source>
            <translation>目标数突变</translation>
        </message>
        <message>
            <source>Odd landmarks</source>
            <translation>关键点异常</translation>
        </message>
        <message>
            <source>A and B differ</source>
            <translation>A 与 B 不一致</translation>
        </message>
        <message>
            <source>Near the threshold</source>
            <translation>接近阈值</translation>
        </message>
        <message>
            <source>{name} gone for {n} frames</source>
            <translation>{name} 消失 {n} 帧</translation>
        </message>
        <message>
            <source>{name} for 1 frame only</source>
            <translation>{name} 仅出现 1 帧</translation>
        </message>
        <message>
            <source>{name} jumps by {share:.0%} of its size</source>
            <translation>{name} 跳变 {share:.0%}（占自身大小）</translation>
        </message>
        <message>
            <source>{point} jumps by {share:.0%} of the box</source>
            <translation>{point} 跳变 {share:.0%}（占框的大小）</translation>
        </message>
        <message>
            <source>{before:g} objects, then {after:g}</source>
            <translation>目标数从 {before:g} 变为 {after:g}</translation>
        </message>
        <message>
            <source>Both {both:g} · only A {only_a:g} · only B {only_b:g}</source>
            <translation>共有 {both:g} · 仅 A {only_a:g} · 仅 B {only_b:g}</translation>
        </message>
        <message>
            <source>landmarks outside the box: {points:g}</source>
            <translation>框外关键点：{points:g} 个</translation>
        </message>
        <message>
            <source>landmarks in unusual places</source>
            <translation>关键点位置异常</translation>
        </message>
        <message>
            <source>{name} {score:.2f}, threshold {threshold:.2f}</source>
            <translation>{name} {score:.2f}，阈值 {threshold:.2f}</translation>
        </message>
        <message>
            <source>{name} gone for 1 frame</source>
            <translation>{name} 消失 1 帧</translation>
        </message>
        <message>
            <source>1 object, then {after:g}</source>
            <translation>目标数从 1 变为 {after:g}</translation>
        </message>
        <message>
            <source>object</source>
            <translation>目标</translation>
        </message>
        <message>
            <source>landmark</source>
            <translation>关键点</translation>
        </message>
        <message>
            <source>Suspicion {value:.2f}</source>
            <translation>可疑度 {value:.2f}</translation>
        </message>
        <message>
            <source>{text}, {n} suspicious frames in a row</source>
            <translation>{text}，连续 {n} 帧可疑</translation>
        </message>
        <message>
            <source>The length of this video is unknown</source>
            <translation>此视频的长度未知</translation>
        </message>
        <message>
            <source>A live source has its own speed</source>
            <translation>实时源的速度由其自身决定</translation>
        </message>
        <message>
            <source>Nothing is open</source>
            <translation>未打开任何源</translation>
        </message>
        <message>
            <source>Speed</source>
            <translation>速度</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>暂停</translation>
        </message>
        <message>
            <source>{speed}: this computer is slower than {chosen}; no frame is skipped</source>
            <translation>{speed}：本机处理达不到 {chosen}；不会跳过任何帧</translation>
        </message>
        <message>
            <source>{speed}: this computer is slower than the video; no frame is skipped</source>
            <translation>{speed}：本机处理比视频慢；不会跳过任何帧</translation>
        </message>
        <message>
            <source>Repeat from this frame</source>
            <translation>从此帧开始重复</translation>
        </message>
        <message>
            <source>Repeat up to this frame</source>
            <translation>重复到此帧</translation>
        </message>
        <message>
            <source>Stop repeating</source>
            <translation>停止重复</translation>
        </message>
        <message>
            <source>Newest frame</source>
            <translation>最新帧</translation>
        </message>
        <message>
            <source>Always show the newest frame; skip the rest</source>
            <translation>始终显示最新帧，跳过其余帧</translation>
        </message>
        <message>
            <source>Every frame</source>
            <translation>每一帧</translation>
        </message>
        <message>
            <source>Show every frame; with a slow model the image falls behind</source>
            <translation>显示每一帧；模型较慢时画面会滞后</translation>
        </message>
        <message>
            <source>As fast as possible</source>
            <translation>尽可能快</translation>
        </message>
        <message>
            <source>Scan all</source>
            <translation>全部扫描</translation>
        </message>
        <message>
            <source>Scanned</source>
            <translation>已扫描</translation>
        </message>
        <message>
            <source>Stop the scan; what was scanned stays</source>
            <translation>停止扫描；已扫描的部分会保留</translation>
        </message>
        <message>
            <source>Run the model over the whole source in the background</source>
            <translation>在后台用模型处理整个源</translation>
        </message>
        <message>
            <source>Name or number</source>
            <translation>名称或编号</translation>
        </message>
        <message>
            <source>Search files</source>
            <translation>搜索文件</translation>
        </message>
        <message>
            <source>Files</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>Frame at the pointer</source>
            <translation>指针处的帧</translation>
        </message>
        <message>
            <source>Position</source>
            <translation>播放位置</translation>
        </message>
        <message>
            <source>marked</source>
            <translation>已标记</translation>
        </message>
        <message>
            <source>one of the worst frames</source>
            <translation>最差帧之一</translation>
        </message>
        <message>
            <source>scan or play to fill</source>
            <translation>扫描或播放后显示</translation>
        </message>
        <message>
            <source>found {count}</source>
            <translation>检出 {count}</translation>
        </message>
        <message>
            <source>best score {score:.2f}</source>
            <translation>最高分数 {score:.2f}</translation>
        </message>
        <message>
            <source>A–B {px:.1f} px</source>
            <translation>A–B {px:.1f} px</translation>
        </message>
        <message>
            <source>error {px:.1f} px</source>
            <translation>误差 {px:.1f} px</translation>
        </message>
        <message>
            <source>found by one model only: {count}</source>
            <translation>仅一个模型检出：{count}</translation>
        </message>
        <message>
            <source>missed {count}</source>
            <translation>漏检 {count}</translation>
        </message>
        <message>
            <source>false alarms {count}</source>
            <translation>误报 {count}</translation>
        </message>
        <message>
            <source>no mistakes</source>
            <translation>无错误</translation>
        </message>
        <message>
            <source>the last minute</source>
            <translation>最近一分钟</translation>
        </message>
        <message>
            <source>frame {number}</source>
            <translation>第 {number} 帧</translation>
        </message>
        <message>
            <source>Frame or time</source>
            <translation>帧或时间</translation>
        </message>
        <message>
            <source>A frame number, a time such as 48.1 or 0:48.1, or 12 %</source>
            <translation>帧号、时间（如 48.1 或 0:48.1）或 12 %</translation>
        </message>
        <message>
            <source>Time</source>
            <translation>时间</translation>
        </message>
        <message>
            <source>Length</source>
            <translation>时长</translation>
        </message>
        <message>
            <source>live</source>
            <translation>实时</translation>
        </message>
        <message>
            <source>{text} is not a frame number, time or percentage</source>
            <translation>{text} 不是帧号、时间或百分比</translation>
        </message>
        <message>
            <source>found</source>
            <translation>检出</translation>
        </message>
        <message>
            <source>score</source>
            <translation>分数</translation>
        </message>
        <message>
            <source>A–B</source>
            <translation>A–B</translation>
        </message>
        <message>
            <source>error</source>
            <translation>误差</translation>
        </message>
        <message>
            <source>needs a model</source>
            <translation>需要模型</translation>
        </message>
        <message>
            <source>max</source>
            <translation>最快</translation>
        </message>
        <message>
            <source>Not detected in this frame</source>
            <translation>此帧中未检测到</translation>
        </message>
        <message>
            <source>Landmark</source>
            <translation>关键点</translation>
        </message>
        <message>
            <source>Detection</source>
            <translation>检测结果</translation>
        </message>
        <message>
            <source>Zoom to it</source>
            <translation>放大查看</translation>
        </message>
        <message>
            <source>Zoom until it fills half of the view</source>
            <translation>放大到占视图的一半</translation>
        </message>
        <message>
            <source>Deselect (click beside it)</source>
            <translation>取消选择（单击空白处）</translation>
        </message>
        <message>
            <source>Video, second model</source>
            <translation>画面，第二个模型</translation>
        </message>
        <message>
            <source>Confidence {score:.3f}</source>
            <translation>置信度 {score:.3f}</translation>
        </message>
        <message>
            <source>Size {width:.0f} × {height:.0f} px</source>
            <translation>大小 {width:.0f} × {height:.0f} px</translation>
        </message>
        <message>
            <source>Number {index}</source>
            <translation>编号 {index}</translation>
        </message>
        <message>
            <source>At {left:z.0f}, {top:z.0f}</source>
            <translation>位置 {left:z.0f}, {top:z.0f}</translation>
        </message>
        <message>
            <source>1 landmark</source>
            <translation>1 个关键点</translation>
        </message>
        <message>
            <source>{n} landmarks</source>
            <translation>{n} 个关键点</translation>
        </message>
        <message>
            <source>{n} landmarks, confidence {low:.2f} to {high:.2f}</source>
            <translation>{n} 个关键点，置信度 {low:.2f} 至 {high:.2f}</translation>
        </message>
        <message>
            <source>1 landmark, confidence {low:.2f}</source>
            <translation>1 个关键点，置信度 {low:.2f}</translation>
        </message>
        <message>
            <source>{n} below {threshold:.2f}, in brackets: not predicted</source>
            <translation>{n} 个低于 {threshold:.2f}（括号内）：视为未预测</translation>
        </message>
        <message>
            <source>video paused</source>
            <translation>视频已暂停</translation>
        </message>
        <message>
            <source>Pixels of the screen per pixel of the image</source>
            <translation>每个图像像素对应的屏幕像素数</translation>
        </message>
        <message>
            <source>Fit</source>
            <translation>适应</translation>
        </message>
        <message>
            <source>Drag to move the panel; double-click to float it</source>
            <translation>拖动可移动面板；双击可使其浮动</translation>
        </message>
        <message>
            <source>Close {name}</source>
            <translation>关闭{name}</translation>
        </message>
        <message>
            <source>Close the panel</source>
            <translation>关闭面板</translation>
        </message>
        <message>
            <source>Dock</source>
            <translation>停靠</translation>
        </message>
        <message>
            <source>Float</source>
            <translation>浮动</translation>
        </message>
        <message>
            <source>Put the panel back into the window</source>
            <translation>将面板放回窗口</translation>
        </message>
        <message>
            <source>Make the panel a window of its own</source>
            <translation>将面板变为独立窗口</translation>
        </message>
        <message>
            <source>{tip} Double-click for the model's default. (← →, Shift: fine)</source>
            <translation>{tip}双击恢复模型默认值。(← →，Shift：微调)</translation>
        </message>
        <message>
            <source>matched</source>
            <translation>匹配</translation>
        </message>
        <message>
            <source>missed</source>
            <translation>漏检</translation>
        </message>
        <message>
            <source>false alarm</source>
            <translation>误报</translation>
        </message>
    </context>
</TS>
